/*
 * "250ms", "15s", "10m", "2h" as milliseconds. Pure; any thread.
 */
#ifndef SERVICE_KIT_DURATION_H
#define SERVICE_KIT_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum { DURATION_LONGEST_HOURS = 24 };

/* False: not a duration, or longer than DURATION_LONGEST_HOURS. */
bool duration_parse(const char *text, int64_t *ret_ms);

#endif
