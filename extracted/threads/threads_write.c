#include "extracted/threads/threads_write.h"

#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"
#include "extracted/threads/threads_queries.h"

const struct json_field threads_title_field = {"title", 3, 120,
                                               "A title is 3 to 120 characters long."};

/* 0: there is none, or it cannot be read, which was logged. */
static int64_t find_category(struct database *database, struct http_view slug)
{
    sqlite3_stmt *row = threads_category_begin(database, slug);
    int64_t id = database_next(row) ? sqlite3_column_int64(row, CATEGORY_ID) : 0;
    return database_end(database, row) ? id : 0;
}

/* The id of the new row; 0: it failed; logged. */
static int64_t insert(struct database *database, const struct new_thread *thread, int64_t category,
                      int64_t now_ms)
{
    sqlite3_stmt *query = database_begin(database, QUERY_THREAD_ADD);
    sqlite3_bind_text(query, 1, thread->title.bytes, (int)thread->title.length, SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, thread->user);
    sqlite3_bind_int64(query, 3, category);
    sqlite3_bind_int64(query, 4, now_ms);
    int64_t id = database_next(query) ? sqlite3_column_int64(query, 0) : 0;
    while (id != 0 && database_next(query))
        continue; /* RETURNING is over only when the statement is */
    return database_end(database, query) ? id : 0;
}

static bool put_event(struct database *database, int64_t id, int64_t now_ms)
{
    size_t length;
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD_EVENT);
    sqlite3_bind_int64(row, 1, id);
    bool stored = database_next(row) &&
                  outbox_put(database, &threads_feeds[FEED_THREADS], database_text(row, 0, &length),
                             database_text(row, 1, &length), now_ms);
    return database_end(database, row) && stored;
}

static struct outcome store(struct database *database, const struct new_thread *thread,
                            int64_t now_ms)
{
    int64_t category = find_category(database, thread->slug);
    if (category == 0)
        return outcome_field_fault("category", "There is no such category.");
    struct outcome outcome = {.kind = OUTCOME_DONE};
    outcome.id = insert(database, thread, category, now_ms);
    if (outcome.id == 0 || !put_event(database, outcome.id, now_ms))
        return outcome_of(OUTCOME_BROKEN);
    return outcome;
}

struct outcome threads_add(struct database *database, const struct http_request *request,
                           const struct new_thread *thread)
{
    struct outcome outcome;
    if (!owned_write_open(database, request, &outcome))
        return outcome;
    return owned_write_close(database, store(database, thread, (int64_t)(request->now * 1000.)));
}
