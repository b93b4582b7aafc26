/*
 * Ids as this forum has always read them: the path segment is percent-decoded, then read the way
 * JavaScript's parseInt reads text, so that 1abc, 01, 1.9, %31 and 0x1 all mean 1.
 * Clients depend on it; it is a quirk on purpose. Pure; any thread.
 */
#ifndef MONOLITH_LEGACY_ID_H
#define MONOLITH_LEGACY_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a raw path segment. False if it is not a number, or none that a row can have (beyond
 * 2^53, where JavaScript's integers end). A segment that is not well-formed percent-encoded
 * UTF-8 is read as it stands, undecoded. */
bool legacy_id_read(const char *segment, size_t length, int64_t *ret_id);

#endif
