#include "monolith_stub/feeds/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/store.h"

/* The new event is there, or a row was missing and so would be its event. */
static bool run_put(struct store *store, enum feed feed, sqlite3_stmt *insert)
{
    sqlite3_bind_int64(insert, 2, clock_wall_ms());
    store->touched_feeds |= 1u << feed;
    return store_run(insert) && sqlite3_changes(store->database) == 1;
}

static sqlite3_stmt *begin_put(struct store *store, enum feed feed)
{
    return store_begin(store, (enum query)(QUERY_EVENT_PUT + (int)feed));
}

bool outbox_put(struct store *store, enum feed feed, int64_t id)
{
    sqlite3_stmt *insert = begin_put(store, feed);
    sqlite3_bind_int64(insert, 1, id);
    return run_put(store, feed, insert);
}

bool outbox_put_session(struct store *store, const char *hash)
{
    sqlite3_stmt *insert = begin_put(store, FEED_SESSIONS);
    store_bind_text(insert, 1, hash, strlen(hash));
    return run_put(store, FEED_SESSIONS, insert);
}

bool outbox_put_like(struct store *store, int64_t post, int64_t user)
{
    sqlite3_stmt *insert = begin_put(store, FEED_LIKES);
    sqlite3_bind_int64(insert, 1, post);
    sqlite3_bind_int64(insert, 3, user);
    return run_put(store, FEED_LIKES, insert);
}

static bool put_delete(struct store *store, enum feed feed, const char *id)
{
    const char *name = feed_name(feed);
    const char *aggregate = aggregate_name(feed_aggregate(feed));
    sqlite3_stmt *insert = store_begin(store, QUERY_EVENT_DELETE);
    store_bind_text(insert, 1, name, strlen(name));
    store_bind_text(insert, 3, aggregate, strlen(aggregate));
    store_bind_text(insert, 4, id, strlen(id));
    return run_put(store, feed, insert);
}

bool outbox_delete_session(struct store *store, const char *hash)
{
    return put_delete(store, FEED_SESSIONS, hash);
}

bool outbox_delete_like(struct store *store, int64_t post, int64_t user)
{
    char id[48];
    snprintf(id, sizeof(id), "%" PRId64 ":%" PRId64, post, user);
    return put_delete(store, FEED_LIKES, id);
}

bool outbox_last(struct store *store, enum feed feed, int64_t *ret_last)
{
    const char *name = feed_name(feed);
    sqlite3_stmt *row = store_begin(store, QUERY_OUTBOX_LAST);
    store_bind_text(row, 1, name, strlen(name));
    bool found = store_next(row);
    if (found)
        *ret_last = sqlite3_column_int64(row, 0);
    return store_end(row) && found;
}
