/*
 * Two texts beside each other, line by line, with what differs in colour; or, where there is no
 * terminal, one after the other with "-" and "+". One thread.
 */
#ifndef CLI_SIDE_BY_SIDE_H
#define CLI_SIDE_BY_SIDE_H

#include <stdio.h>

/*
 * An answer as lines: its status, its fields, its body; JSON and HTML are broken into lines where
 * they have none, and are else as they are. Free with free().
 */
char *side_by_side_text(long long status, const char *head, const char *body);

/* Beyond some hundred lines the rest is left out, and that is said. */
void side_by_side_print(const char *first, const char *second, FILE *out);

#endif
