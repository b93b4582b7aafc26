/*
 * Events of the other side, brought into our tables. Any thread; they take turns as writers.
 */
#ifndef MONOLITH_EVENT_APPLY_H
#define MONOLITH_EVENT_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/text.h"

struct store;
struct writer;

/* Applies the lines of an NDJSON body that were not applied yet, in order, and stores the new
 * cursor, in one transaction: it does no harm that somebody else applies the same. False: the
 * fault was logged, nothing changed. */
bool event_apply(struct writer *writer, enum feed feed, const struct text *body,
                 int64_t *ret_cursor);

/* 0 if there is none yet. False: the fault was logged. */
bool event_cursor_read(struct store *store, enum feed feed, int64_t *ret_cursor);

/* The source's name, the side that it is on. */
#define EVENT_SOURCE "extracted"

#endif
