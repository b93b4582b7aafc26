#include "extracted/service_kit/outbox.h"

#include <string.h>

enum { EVENT_LIMIT = 1024 * 1024 };

static bool store(struct database *database, const struct feed *feed, const struct body_text *body,
                  int64_t at_ms)
{
    if (body->overflowed)
        return false;
    sqlite3_stmt *insert = database_begin_kit(database, KIT_OUTBOX_ADD);
    sqlite3_bind_text(insert, 1, feed->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, feed->aggregate, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 3, at_ms);
    sqlite3_bind_text(insert, 4, body->bytes, (int)body->length, SQLITE_STATIC);
    sqlite3_step(insert);
    database_add_news(database);
    return database_end(database, insert);
}

bool outbox_put(struct database *database, const struct feed *feed, const char *id_json,
                const char *row_json, int64_t at_ms)
{
    struct body_text body;
    body_text_init(&body, EVENT_LIMIT);
    body_text_add_string(&body, "\"op\":\"put\",\"id\":");
    body_text_add_string(&body, id_json);
    body_text_add_string(&body, ",\"row\":");
    body_text_add_string(&body, row_json);
    bool stored = store(database, feed, &body, at_ms);
    body_text_done(&body);
    return stored;
}

bool outbox_put_row(struct database *database, const struct feed *feed, sqlite3_stmt *query,
                    int64_t at_ms)
{
    size_t length;
    bool stored =
        database_next(query) && outbox_put(database, feed, database_text(query, 0, &length),
                                           database_text(query, 1, &length), at_ms);
    return database_end(database, query) && stored;
}

bool outbox_delete(struct database *database, const struct feed *feed, const char *id_json,
                   int64_t at_ms)
{
    struct body_text body;
    body_text_init(&body, EVENT_LIMIT);
    body_text_add_string(&body, "\"op\":\"delete\",\"id\":");
    body_text_add_string(&body, id_json);
    bool stored = store(database, feed, &body, at_ms);
    body_text_done(&body);
    return stored;
}

static void add_event(struct body_text *out, const struct feed *feed, sqlite3_stmt *row)
{
    size_t length;
    const char *body = database_text(row, 3, &length);
    body_text_add_string(out, "{\"seq\":");
    body_text_add_json_integer(out, sqlite3_column_int64(row, 0));
    body_text_add_string(out, ",\"feed\":\"");
    body_text_add_string(out, feed->name);
    body_text_add_string(out, "\",\"epoch\":");
    body_text_add_json_integer(out, sqlite3_column_int64(row, 1));
    body_text_add_string(out, ",\"at_ms\":");
    body_text_add_json_integer(out, sqlite3_column_int64(row, 2));
    body_text_add_string(out, ",");
    body_text_add(out, body, length);
    body_text_add_string(out, "}\n");
}

bool outbox_read(struct database *database, const struct feed *feed, struct outbox_page page,
                 struct body_text *out)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_OUTBOX_AFTER);
    sqlite3_bind_text(query, 1, feed->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, page.after);
    sqlite3_bind_int64(query, 3, page.limit);
    while (out->length < FEED_ANSWER_ENOUGH && database_next(query))
        add_event(out, feed, query);
    return database_end(database, query);
}

bool outbox_last(struct database *database, const struct feed *feed, int64_t *ret_seq)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_OUTBOX_LAST);
    sqlite3_bind_text(query, 1, feed->name, -1, SQLITE_STATIC);
    bool found = database_next(query);
    if (found)
        *ret_seq = sqlite3_column_int64(query, 0);
    return database_end(database, query) && found;
}
