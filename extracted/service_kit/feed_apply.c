#include "extracted/service_kit/feed_apply.h"

#include <string.h>

#include "extracted/service_kit/ownership.h"
#include "extracted/service_kit/row_bind.h"

struct event {
    int64_t seq;
    int64_t epoch;
    int64_t at_ms;
    bool is_delete;
    const json_t *id;
    const json_t *row;
};

struct application {
    struct database *database;
    const struct feed *feed;
    struct feed_batch *batch;
    int64_t oldest_epoch; /* events of an earlier one are not ours to take */
};

static bool fail(struct feed_batch *batch, const char *fault)
{
    batch->fault = fault;
    return false;
}

static bool read_integer(const json_t *object, const char *name, int64_t *ret_value)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        return false;
    *ret_value = json_integer_value(value);
    return true;
}

static bool read_event(const json_t *object, struct event *ret_event)
{
    struct event event = {.id = json_object_get(object, "id"),
                          .row = json_object_get(object, "row")};
    const char *op = json_string_value(json_object_get(object, "op"));
    if (op == NULL || !read_integer(object, "seq", &event.seq) || event.seq < 1 ||
        !read_integer(object, "epoch", &event.epoch) ||
        !read_integer(object, "at_ms", &event.at_ms))
        return false;
    event.is_delete = strcmp(op, "delete") == 0;
    bool is_whole = event.is_delete ? json_is_integer(event.id) || json_is_string(event.id)
                                    : strcmp(op, "put") == 0 && json_is_object(event.row);
    *ret_event = event;
    return is_whole;
}

static bool bind_id(sqlite3_stmt *query, const json_t *id)
{
    if (json_is_integer(id))
        return sqlite3_bind_int64(query, 1, json_integer_value(id)) == SQLITE_OK;
    return sqlite3_bind_text(query, 1, json_string_value(id), (int)json_string_length(id),
                             SQLITE_TRANSIENT) == SQLITE_OK;
}

static const char *change_row(struct database *database, sqlite3_stmt *change, int epoch_index,
                              int64_t epoch)
{
    if (sqlite3_bind_parameter_count(change) >= epoch_index)
        sqlite3_bind_int64(change, epoch_index, epoch);
    return database_run(database, change) ? NULL : "the database does not take it";
}

const char *feed_put(struct database *database, const struct feed *feed, const json_t *row,
                     int64_t epoch)
{
    sqlite3_stmt *put = database_begin(database, feed->put_query);
    if (!row_bind(put, feed->shape, row))
        return "a member is missing or of another type";
    return change_row(database, put, (int)feed->shape->count + 1, epoch);
}

static const char *feed_delete(struct database *database, const struct feed *feed, const json_t *id,
                               int64_t epoch)
{
    sqlite3_stmt *delete = database_begin(database, feed->delete_query);
    if (!bind_id(delete, id))
        return "an id is of another type";
    return change_row(database, delete, 2, epoch);
}

static bool apply_event(struct application *application, const struct event *event)
{
    struct database *database = application->database;
    const struct feed *feed = application->feed;
    const char *fault = event->is_delete ? feed_delete(database, feed, event->id, event->epoch)
                                         : feed_put(database, feed, event->row, event->epoch);
    return fault == NULL || fail(application->batch, fault);
}

static bool take_event(struct application *application, const json_t *object)
{
    struct event event;
    struct feed_batch *batch = application->batch;
    if (!read_event(object, &event))
        return fail(batch, "not an event");
    if (event.seq <= batch->cursor)
        return true;
    if (event.epoch >= application->oldest_epoch && !apply_event(application, &event))
        return false;
    batch->cursor = event.seq;
    batch->last_at_ms = event.at_ms;
    return true;
}

static bool take_lines(struct application *application)
{
    struct feed_batch *batch = application->batch;
    const char *at = batch->bytes;
    const char *end = at + batch->length;
    while (at < end) {
        batch->line++;
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return fail(batch, "not ended");
        json_error_t error;
        json_t *object =
            json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        bool taken = object != NULL ? take_event(application, object) : fail(batch, "not JSON");
        json_decref(object);
        if (!taken)
            return false;
        at = newline + 1;
    }
    return true;
}

static bool read_oldest_epoch(struct database *database, const struct feed_plan *plan,
                              struct application *application)
{
    struct ownership ownership;
    if (!feed_is_own(plan, application->feed))
        return true;
    if (!ownership_read(database, plan->aggregate, &ownership))
        return false;
    if (ownership.is_ours)
        application->oldest_epoch = ownership.epoch;
    return true;
}

bool feed_apply(struct database *database, const struct feed_plan *plan, const struct feed *feed,
                const struct feed_source *source, struct feed_batch *batch)
{
    struct application application = {
        .database = database, .feed = feed, .batch = batch, .oldest_epoch = INT64_MIN};
    batch->fault = NULL;
    batch->line = 0;
    batch->last_at_ms = 0;
    if (!database_transaction_begin(database))
        return fail(batch, "the database is not writable");
    bool applied = feed_cursor_read(database, feed, source, &batch->cursor) &&
                   read_oldest_epoch(database, plan, &application) && take_lines(&application) &&
                   feed_cursor_write(database, feed, source, batch->cursor);
    applied = database_transaction_end(database, applied);
    if (!applied && batch->fault == NULL)
        batch->fault = "the database does not take it";
    return applied;
}

bool feed_cursor_read(struct database *database, const struct feed *feed,
                      const struct feed_source *source, int64_t *ret_seq)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_CURSOR_READ);
    sqlite3_bind_text(query, 1, feed->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(query, 2, source->side, -1, SQLITE_STATIC);
    int64_t seq = database_next(query) ? sqlite3_column_int64(query, 0) : 0;
    if (!database_end(database, query))
        return false;
    *ret_seq = seq;
    return true;
}

bool feed_cursor_write(struct database *database, const struct feed *feed,
                       const struct feed_source *source, int64_t seq)
{
    sqlite3_stmt *query = database_begin_kit(database, KIT_CURSOR_WRITE);
    sqlite3_bind_text(query, 1, feed->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(query, 2, source->side, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, seq);
    sqlite3_step(query);
    return database_end(database, query);
}
