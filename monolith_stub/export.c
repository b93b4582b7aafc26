#include "monolith_stub/export.h"

#include <stdlib.h>

#include "monolith_stub/row_json.h"

/* Rows read at a time: what one export holds in memory, and how long it holds a connection. */
enum { EXPORT_PAGE_ROWS = 256 };

struct export
{
    struct store_pool *pool;
    enum query query;
    void (*write_row)(struct text * out, sqlite3_stmt * row);
    int64_t last_id;
};

static void write_user(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_string(out, ",\"username\":", row, 1);
    row_json_string(out, ",\"name\":", row, 2);
    row_json_string(out, ",\"bio\":", row, 3);
    text_append_string(out, "}\n");
}

static void write_thread(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_string(out, ",\"title\":", row, 1);
    row_json_integer(out, ",\"createdBy\":", row, 2);
    text_append_string(out, "}\n");
}

static void write_post(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_integer(out, ",\"thread\":", row, 1);
    row_json_string(out, ",\"text\":", row, 2);
    row_json_integer(out, ",\"user\":", row, 3);
    text_append_string(out, "}\n");
}

/* The next page of rows, by id: no transaction stays open while a slow reader reads. */
static bool export_next(void *context, struct text *part)
{
    struct export *export = context;
    struct store *store = store_pool_take(export->pool);
    sqlite3_stmt *query = store_begin(store, export->query);
    sqlite3_bind_int64(query, 1, export->last_id);
    sqlite3_bind_int(query, 2, EXPORT_PAGE_ROWS);
    while (store_next(query)) {
        export->write_row(part, query);
        export->last_id = sqlite3_column_int64(query, 0);
    }
    bool complete = store_end(query);
    store_pool_give_back(export->pool, store);
    return complete && !part->failed;
}

static void export_start(struct forum *forum, struct reply *reply, enum query query,
                         void (*write_row)(struct text *out, sqlite3_stmt *row))
{
    struct export *export = malloc(sizeof(*export));
    if (export == NULL) {
        reply_fault(reply);
        return;
    }
    *export = (struct export){
        .pool = forum->pool, .query = query, .write_row = write_row, .last_id = INT64_MIN};
    reply->status = 200;
    reply->content_type = "application/x-ndjson";
    reply->stream = (struct reply_stream){export_next, free, export};
}

void export_users(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    export_start(forum, reply, QUERY_EXPORT_USERS, write_user);
}

void export_threads(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    export_start(forum, reply, QUERY_EXPORT_THREADS, write_thread);
}

void export_posts(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    export_start(forum, reply, QUERY_EXPORT_POSTS, write_post);
}
