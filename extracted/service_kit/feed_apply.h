/*
 * Takes over a batch of foreign events: rows and cursor in one transaction, so that a process that
 * ends anywhere loses nothing and doubles nothing. The loop's thread.
 */
#ifndef SERVICE_KIT_FEED_APPLY_H
#define SERVICE_KIT_FEED_APPLY_H

#include <jansson.h>

#include "extracted/service_kit/feed.h"

/* Where events come from. */
struct feed_source {
    const char *side; /* "legacy" or "extracted": the name under which the cursor is kept */
    const char *origin;
    bool is_http2;
};

struct feed_batch {
    const char *bytes; /* NDJSON, one event a line */
    size_t length;
    int64_t cursor;     /* set: the last event that is done with */
    int64_t last_at_ms; /* set: when it was made, or 0 */
    const char *fault;  /* set if it fails: what is wrong with line `line` */
    size_t line;
};

/* Events at or before the cursor are skipped, so a batch may come twice. An event that is older
 * than our own ownership of its aggregate is skipped as well. False: batch->fault says why, and
 * nothing changed. */
bool feed_apply(struct database *database, const struct feed_plan *plan, const struct feed *feed,
                const struct feed_source *source, struct feed_batch *batch);

/* Inside a transaction: takes over one row, as the put of an event of that epoch does. NULL: done;
 * else what is wrong with it. */
const char *feed_put(struct database *database, const struct feed *feed, const json_t *row,
                     int64_t epoch);

/* How far a feed was read; 0: nothing yet. False: logged. */
bool feed_cursor_read(struct database *database, const struct feed *feed,
                      const struct feed_source *source, int64_t *ret_seq);

/* False: logged. */
bool feed_cursor_write(struct database *database, const struct feed *feed,
                       const struct feed_source *source, int64_t seq);

#endif
