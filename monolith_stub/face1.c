#include "monolith_stub/face1.h"

#include "monolith_stub/legacy_id.h"
#include "monolith_stub/row_json.h"

typedef void row_writer(struct text *out, sqlite3_stmt *row);

static void write_user(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_string(out, ",\"username\":", row, 1);
    row_json_string(out, ",\"name\":", row, 2);
    row_json_string(out, ",\"bio\":", row, 3);
    text_append_string(out, "}");
}

static void write_thread(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_string(out, ",\"title\":", row, 1);
    row_json_integer(out, ",\"createdBy\":", row, 2);
    text_append_string(out, "}");
}

static void write_post(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"thread\":", row, 0);
    row_json_string(out, ",\"text\":", row, 1);
    row_json_integer(out, ",\"user\":", row, 2);
    text_append_string(out, "}");
}

/* Text that is not a number is the id of nothing, as NULL is in SQL. */
static void bind_id(sqlite3_stmt *query, const struct request *request)
{
    int64_t id;
    if (legacy_id_read(request->parameters[0].bytes, request->parameters[0].length, &id))
        sqlite3_bind_int64(query, 1, id);
}

static void answer_array(struct forum *forum, enum query which, const struct request *request,
                         struct reply *reply, row_writer *write_row)
{
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *query = store_begin(store, which);
    if (request != NULL)
        bind_id(query, request);
    const char *separator = "[";
    while (store_next(query)) {
        text_append_string(&reply->body, separator);
        write_row(&reply->body, query);
        separator = ",";
    }
    text_append_string(&reply->body, *separator == '[' ? "[]" : "]");
    bool complete = store_end(query);
    store_pool_give_back(forum->pool, store);
    if (complete)
        reply_json(reply);
    else
        reply_fault(reply);
}

static void answer_object(struct forum *forum, enum query which, const struct request *request,
                          struct reply *reply, row_writer *write_row)
{
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *query = store_begin(store, which);
    bind_id(query, request);
    bool found = store_next(query);
    if (found)
        write_row(&reply->body, query);
    bool complete = store_end(query);
    store_pool_give_back(forum->pool, store);
    if (!complete)
        reply_fault(reply);
    else if (found)
        reply_json(reply);
    else
        reply_nothing(reply);
}

void face1_welcome(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    (void)request;
    reply_text(reply, 200, "The forum is open.");
}

void face1_api_welcome(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    (void)request;
    reply_text(reply, 200, "The forum's API: users, threads, posts.");
}

void face1_users(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    answer_array(forum, QUERY_USERS, NULL, reply, write_user);
}

void face1_user(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_object(forum, QUERY_USER, request, reply, write_user);
}

void face1_threads(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    answer_array(forum, QUERY_THREADS, NULL, reply, write_thread);
}

void face1_thread(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_object(forum, QUERY_THREAD, request, reply, write_thread);
}

void face1_posts(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    answer_array(forum, QUERY_POSTS, NULL, reply, write_post);
}

void face1_posts_in_thread(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_array(forum, QUERY_POSTS_IN_THREAD, request, reply, write_post);
}

void face1_posts_by_user(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_array(forum, QUERY_POSTS_BY_USER, request, reply, write_post);
}
