/*
 * Events of the other side, brought into our tables. Inside a transaction of the writer.
 */
#ifndef MONOLITH_EVENT_APPLY_H
#define MONOLITH_EVENT_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/feeds/feed.h"

struct store;

/* Applies each line of an NDJSON body whose seq is above *cursor, in order, and stores the new
 * cursor. False: the fault was logged; roll back, *cursor is as before. */
bool event_apply_lines(struct store *store, enum feed feed, const char *lines, size_t length,
                       int64_t *cursor);

/* 0 if there is none yet. False: the fault was logged. */
bool event_cursor_read(struct store *store, enum feed feed, int64_t *ret_cursor);

/* The source's name, the side that it is on. */
#define EVENT_SOURCE "extracted"

#endif
