/*
 * Events, stored in the same transaction as the rows they tell of. Inside writer_begin and
 * writer_commit only.
 */
#ifndef MONOLITH_OUTBOX_H
#define MONOLITH_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/feeds/feed.h"

struct store;

/* The row as it is now. False: the fault was logged; roll back. */
bool outbox_put(struct store *store, enum feed feed, int64_t id);
bool outbox_put_session(struct store *store, const char *hash);
bool outbox_put_like(struct store *store, int64_t post, int64_t user);

/* The row is gone. Ids as in the feed. */
bool outbox_delete_session(struct store *store, const char *hash);
bool outbox_delete_like(struct store *store, int64_t post, int64_t user);

/* The seq of the feed's last event, 0 if there is none. Also outside a transaction. */
bool outbox_last(struct store *store, enum feed feed, int64_t *ret_last);

#endif
