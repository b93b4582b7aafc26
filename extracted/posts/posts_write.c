#include <inttypes.h>
#include <stdio.h>

#include "extracted/posts/posts_api.h"
#include "extracted/posts/posts_queries.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"

/* A write that is about to happen: who, on which post or thread, with which text. */
struct post_write {
    int64_t user;
    int64_t id; /* the thread for a new post, else the post */
    struct http_view text;
    int64_t now_ms;
};

/* Inside a transaction: makes rows and events. False: it failed; logged. */
typedef bool apply_write(struct database *database, struct post_write *write);

static const struct json_field text_field = {"text", 1, 10000,
                                             "A text is 1 to 10000 characters long."};

static void refuse(struct http_reply *reply, unsigned status, const char *title, const char *detail)
{
    problem_reply(reply, &(struct problem){.status = status, .title = title, .detail = detail});
}

static bool run(struct database *database, sqlite3_stmt *query)
{
    sqlite3_step(query);
    return database_end(database, query);
}

/* The event of a row that QUERY_…_EVENT reads; the statement is bound. */
static bool put_event(struct database *database, sqlite3_stmt *row, const struct feed *feed,
                      int64_t now_ms)
{
    size_t length;
    bool stored = database_next(row) && outbox_put(database, feed, database_text(row, 0, &length),
                                                   database_text(row, 1, &length), now_ms);
    return database_end(database, row) && stored;
}

static bool put_post_event(struct database *database, const struct post_write *write)
{
    sqlite3_stmt *row = database_begin(database, QUERY_POST_EVENT);
    sqlite3_bind_int64(row, 1, write->id);
    return put_event(database, row, &posts_feeds[FEED_POSTS], write->now_ms);
}

static bool add_post(struct database *database, struct post_write *write)
{
    sqlite3_stmt *insert = database_begin(database, QUERY_POST_ADD);
    sqlite3_bind_int64(insert, 1, write->id);
    sqlite3_bind_int64(insert, 2, write->user);
    sqlite3_bind_text(insert, 3, write->text.bytes, (int)write->text.length, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, write->now_ms);
    bool added = database_next(insert);
    if (added)
        write->id = sqlite3_column_int64(insert, 0);
    while (added && database_next(insert))
        continue; /* RETURNING is over only when the statement is */
    return database_end(database, insert) && added && put_post_event(database, write);
}

static bool edit_post(struct database *database, struct post_write *write)
{
    sqlite3_stmt *query = database_begin(database, QUERY_POST_EDIT);
    sqlite3_bind_int64(query, 1, write->id);
    sqlite3_bind_text(query, 2, write->text.bytes, (int)write->text.length, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, write->now_ms);
    return run(database, query) && put_post_event(database, write);
}

static bool clear_post(struct database *database, struct post_write *write)
{
    sqlite3_stmt *query = database_begin(database, QUERY_POST_CLEAR);
    sqlite3_bind_int64(query, 1, write->id);
    sqlite3_bind_int64(query, 2, write->now_ms);
    return run(database, query) && put_post_event(database, write);
}

static sqlite3_stmt *begin_like(struct database *database, enum posts_query query,
                                const struct post_write *write)
{
    sqlite3_stmt *statement = database_begin(database, query);
    sqlite3_bind_int64(statement, 1, write->id);
    sqlite3_bind_int64(statement, 2, write->user);
    return statement;
}

static bool is_liked(struct database *database, const struct post_write *write)
{
    sqlite3_stmt *row = begin_like(database, QUERY_LIKED, write);
    bool found = database_next(row);
    return database_end(database, row) && found;
}

/* Liking twice is liking once, and makes one event. */
static bool add_like(struct database *database, struct post_write *write)
{
    if (is_liked(database, write))
        return true;
    sqlite3_stmt *insert = begin_like(database, QUERY_PUT_LIKE, write);
    sqlite3_bind_int64(insert, 3, write->now_ms);
    return run(database, insert) &&
           put_event(database, begin_like(database, QUERY_LIKE_EVENT, write),
                     &posts_feeds[FEED_LIKES], write->now_ms);
}

static bool remove_like(struct database *database, struct post_write *write)
{
    char id[48];
    char id_json[64];
    if (!is_liked(database, write))
        return true;
    snprintf(id, sizeof(id), "%" PRId64 ":%" PRId64, write->id, write->user);
    snprintf(id_json, sizeof(id_json), "\"%s\"", id);
    sqlite3_stmt *query = database_begin(database, QUERY_DELETE_LIKE);
    sqlite3_bind_text(query, 1, id, -1, SQLITE_STATIC);
    return run(database, query) &&
           outbox_delete(database, &posts_feeds[FEED_LIKES], id_json, write->now_ms);
}

/* Who wrote a post that is there; 0: there is none. */
static int64_t author_of(struct database *database, int64_t post)
{
    sqlite3_stmt *row = database_begin(database, QUERY_POST);
    sqlite3_bind_int64(row, 1, post);
    int64_t author = database_next(row) ? sqlite3_column_int64(row, POST_AUTHOR) : 0;
    return database_end(database, row) ? author : 0;
}

static bool thread_exists(struct database *database, int64_t thread)
{
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, thread);
    bool found = database_next(row);
    return database_end(database, row) && found;
}

/* False: the reply says why the write may not be. */
static bool check(struct database *database, const struct post_write *write, apply_write *apply,
                  struct http_reply *reply)
{
    bool is_new = apply == add_post;
    bool is_authors = apply == edit_post || apply == clear_post;
    int64_t author = is_new ? 0 : author_of(database, write->id);
    bool found = is_new ? thread_exists(database, write->id) : author != 0;
    if (!found)
        refuse(reply, 404, "Not Found", NULL);
    else if (is_authors && author != write->user)
        refuse(reply, 403, "Forbidden", "Only its author may do that.");
    else
        return true;
    return false;
}

/* False: the reply is made; nothing was stored. */
static bool write_post(struct database *database, const struct http_request *request,
                       struct http_reply *reply, struct post_write *write, apply_write *apply)
{
    write->now_ms = (int64_t)(request->now * 1000.);
    if (write->user == 0) {
        refuse(reply, 401, "Unauthorized", "Log in first.");
        return false;
    }
    if (!owned_write_begin(database, request, reply))
        return false;
    if (!check(database, write, apply, reply)) {
        database_transaction_end(database, false);
        return false;
    }
    return owned_write_end(database, reply, apply(database, write));
}

/* With a text in the body; the reply is the post. */
static void write_text(struct database *database, const struct http_request *request,
                       struct http_reply *reply, apply_write *apply)
{
    struct post_write write = {0};
    if (!session_find_user(database, request, reply, &write.user))
        return;
    json_t *object = json_request_read(request, reply);
    bool is_written = object != NULL && json_request_id(request, reply, &write.id) &&
                      json_request_text(object, &text_field, reply, &write.text) &&
                      write_post(database, request, reply, &write, apply);
    json_decref(object);
    if (!is_written)
        return;
    posts_api_reply(database, reply, write.id, write.user);
    if (apply != add_post || reply->status != 200)
        return;
    char location[64];
    snprintf(location, sizeof(location), "/api/2.0/posts/%" PRId64, write.id);
    http_reply_add_field(reply, "location", location);
    reply->status = 201;
}

/* Without a body; the reply is 204. */
static void write_plain(struct database *database, const struct http_request *request,
                        struct http_reply *reply, apply_write *apply)
{
    struct post_write write = {0};
    if (session_find_user(database, request, reply, &write.user) &&
        json_request_is_allowed(request, reply) && json_request_id(request, reply, &write.id) &&
        write_post(database, request, reply, &write, apply))
        http_reply_nothing(reply);
}

void posts_api_add(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    write_text(database, request, reply, add_post);
}

void posts_api_edit(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    write_text(database, request, reply, edit_post);
}

void posts_api_delete(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    write_plain(database, request, reply, clear_post);
}

void posts_api_like(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    write_plain(database, request, reply, add_like);
}

void posts_api_unlike(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    write_plain(database, request, reply, remove_like);
}
