/* A page again and again: in place on a terminal, one after the other elsewhere. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "proxy/cli/ask.h"

/* Until a signal ends it; EXIT_UNREACHABLE and its like only when the first time fails. */
int watch_page(const struct invocation *invocation, const char *path,
               void (*print)(const struct invocation *, const json_t *answer, FILE *out));

#endif
