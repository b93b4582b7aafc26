/*
 * Reads an id from a path segment the way the API has always promised: decodeURIComponent, then
 * parseInt, both as ECMA-262 defines them. `1abc`, `01`, `1.9`, `%31`, `%201` and `0x1` are 1.
 * Pure; any thread.
 */
#ifndef SERVICE_KIT_PATH_ID_H
#define SERVICE_KIT_PATH_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The segment is raw. False: no number, or one beyond 2^53, which no row has. */
bool path_id_parse(const char *segment, size_t length, int64_t *ret_id);

#endif
