#include "monolith_stub/feeds/event_apply.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "monolith_stub/feeds/ownership.h"
#include "monolith_stub/store.h"
#include "monolith_stub/writer.h"

enum { ID_TEXT = 80, SECRET_LIMIT = 64 };

struct event {
    int64_t seq;
    int64_t epoch;
    bool is_put;
    char id[ID_TEXT];
    struct text_view line;
    const json_t *row; /* of a put */
};

static bool read_event(const json_t *object, struct event *event)
{
    const json_t *seq = json_object_get(object, "seq");
    const json_t *epoch = json_object_get(object, "epoch");
    const json_t *id = json_object_get(object, "id");
    const char *op = json_string_value(json_object_get(object, "op"));
    if (!json_is_integer(seq) || !json_is_integer(epoch) || op == NULL)
        return false;
    event->seq = json_integer_value(seq);
    event->epoch = json_integer_value(epoch);
    event->row = json_object_get(object, "row");
    event->is_put = strcmp(op, "put") == 0;
    if (json_is_integer(id))
        snprintf(event->id, sizeof(event->id), "%" PRId64, (int64_t)json_integer_value(id));
    else if (json_is_string(id) && json_string_length(id) < sizeof(event->id))
        snprintf(event->id, sizeof(event->id), "%s", json_string_value(id));
    else
        return false;
    return event->is_put ? json_is_object(event->row) : strcmp(op, "delete") == 0;
}

static bool bind_hex(sqlite3_stmt *put, int index, const json_t *row, const char *name)
{
    unsigned char bytes[SECRET_LIMIT];
    const char *hex = json_string_value(json_object_get(row, name));
    size_t length = hex == NULL ? 1 : strlen(hex);
    if (length % 2 != 0 || length / 2 > sizeof(bytes))
        return false;
    for (size_t i = 0; i < length / 2; i++) {
        unsigned value;
        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            return false;
        bytes[i] = (unsigned char)value;
    }
    return sqlite3_bind_blob(put, index, bytes, (int)(length / 2), SQLITE_TRANSIENT) == SQLITE_OK;
}

static bool apply_put(struct store *store, enum feed feed, const struct event *event)
{
    sqlite3_stmt *put = store_begin(store, (enum query)(QUERY_APPLY_PUT + (int)feed));
    store_bind_text(put, 1, event->line.bytes, event->line.length);
    if (feed == FEED_ACCOUNTS &&
        (!bind_hex(put, 2, event->row, "salt") || !bind_hex(put, 3, event->row, "hash"))) {
        fputs("monolith_stub: follow accounts: no hex where it should be\n", stderr);
        return false;
    }
    return store_run(put);
}

static bool apply_delete(struct store *store, enum feed feed, const struct event *event)
{
    sqlite3_stmt *delete = store_begin(store, (enum query)(QUERY_APPLY_DELETE + (int)feed));
    store_bind_text(delete, 1, event->id, strlen(event->id));
    return store_run(delete);
}

/* What the other side wrote before we became the owner, and we have gone on since, is history. */
static bool is_history(const struct ownership *ownership, const struct event *event)
{
    return ownership->is_ours && event->epoch < ownership->epoch;
}

static bool apply_line(struct store *store, enum feed feed, struct text_view line, int64_t *cursor)
{
    struct ownership ownership;
    struct event event = {.line = line};
    json_t *object = json_loadb(line.bytes, line.length, JSON_ALLOW_NUL, NULL);
    bool applied = object != NULL && read_event(object, &event);
    if (!applied) {
        fprintf(stderr, "monolith_stub: follow %s: a line is no event\n", feed_name(feed));
    } else if (event.seq > *cursor) {
        applied =
            ownership_read(store, feed_aggregate(feed), &ownership) &&
            (is_history(&ownership, &event) ||
             (event.is_put ? apply_put(store, feed, &event) : apply_delete(store, feed, &event)));
        if (applied)
            *cursor = event.seq;
    }
    json_decref(object);
    return applied;
}

static bool write_cursor(struct store *store, enum feed feed, int64_t cursor)
{
    const char *name = feed_name(feed);
    sqlite3_stmt *query = store_begin(store, QUERY_CURSOR_SET);
    store_bind_text(query, 1, name, strlen(name));
    store_bind_text(query, 2, EVENT_SOURCE, strlen(EVENT_SOURCE));
    sqlite3_bind_int64(query, 3, cursor);
    return store_run(query);
}

bool event_cursor_read(struct store *store, enum feed feed, int64_t *ret_cursor)
{
    const char *name = feed_name(feed);
    sqlite3_stmt *query = store_begin(store, QUERY_CURSOR);
    store_bind_text(query, 1, name, strlen(name));
    store_bind_text(query, 2, EVENT_SOURCE, strlen(EVENT_SOURCE));
    *ret_cursor = store_next(query) ? sqlite3_column_int64(query, 0) : 0;
    return store_end(query);
}

static bool apply_lines(struct store *store, enum feed feed, const struct text *body,
                        int64_t *cursor)
{
    const char *at = body->bytes;
    const char *end = at + body->length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return false; /* cut off: it comes again */
        struct text_view line = {at, (size_t)(newline - at)};
        if (line.length > 0 && !apply_line(store, feed, line, cursor))
            return false;
        at = newline + 1;
    }
    return true;
}

bool event_apply(struct writer *writer, enum feed feed, const struct text *body,
                 int64_t *ret_cursor)
{
    int64_t cursor = 0;
    struct store *store = writer_begin(writer);
    if (store == NULL)
        return false;
    if (event_cursor_read(store, feed, &cursor) && apply_lines(store, feed, body, &cursor) &&
        write_cursor(store, feed, cursor)) {
        if (!writer_commit(writer))
            return false;
        *ret_cursor = cursor;
        return true;
    }
    writer_rollback(writer);
    return false;
}
