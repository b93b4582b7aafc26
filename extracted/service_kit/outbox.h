/*
 * Events that tell of this service's own writes. A write stores its rows and its events in one
 * transaction, so that neither is ever there without the other. The loop's thread.
 */
#ifndef SERVICE_KIT_OUTBOX_H
#define SERVICE_KIT_OUTBOX_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/database.h"
#include "extracted/service_kit/feed.h"

/* Inside a transaction: "the row of this id is now this". Both are JSON, id as text. False:
 * logged; roll back. */
bool outbox_put(struct database *database, const struct feed *feed, const char *id_json,
                const char *row_json, int64_t at_ms);

/* The same for a query, with its values bound, whose only row is id and row as JSON; ends it. */
bool outbox_put_row(struct database *database, const struct feed *feed, sqlite3_stmt *query,
                    int64_t at_ms);

/* Inside a transaction: "the row of this id is gone". */
bool outbox_delete(struct database *database, const struct feed *feed, const char *id_json,
                   int64_t at_ms);

struct outbox_page {
    int64_t after;
    int64_t limit; /* events */
};

/* Appends the events after one, a line each, oldest first. False: logged. */
bool outbox_read(struct database *database, const struct feed *feed, struct outbox_page page,
                 struct body_text *out);

/* The last event of a feed, or 0. False: logged. */
bool outbox_last(struct database *database, const struct feed *feed, int64_t *ret_seq);

#endif
