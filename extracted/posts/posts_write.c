#include "extracted/posts/posts_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "extracted/posts/posts_queries.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"

const struct json_field posts_text_field = {"text", 1, 10000,
                                            "A text is 1 to 10000 characters long."};

/* A write that is happening. */
struct act {
    int64_t user;
    int64_t id; /* the post; for a new one the thread, until it has an id */
    struct http_view text;
    int64_t now_ms;
};

/* Inside a transaction: makes rows and events. False: it failed; logged. */
typedef bool apply_act(struct database *database, struct act *act);

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

static bool put_post_event(struct database *database, const struct act *act)
{
    sqlite3_stmt *row = database_begin(database, QUERY_POST_EVENT);
    sqlite3_bind_int64(row, 1, act->id);
    return put_event(database, row, &posts_feeds[FEED_POSTS], act->now_ms);
}

static bool add_post(struct database *database, struct act *act)
{
    sqlite3_stmt *insert = database_begin(database, QUERY_POST_ADD);
    sqlite3_bind_int64(insert, 1, act->id);
    sqlite3_bind_int64(insert, 2, act->user);
    sqlite3_bind_text(insert, 3, act->text.bytes, (int)act->text.length, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, act->now_ms);
    bool added = database_next(insert);
    if (added)
        act->id = sqlite3_column_int64(insert, 0);
    while (added && database_next(insert))
        continue; /* RETURNING is over only when the statement is */
    return database_end(database, insert) && added && put_post_event(database, act);
}

static bool edit_post(struct database *database, struct act *act)
{
    sqlite3_stmt *query = database_begin(database, QUERY_POST_EDIT);
    sqlite3_bind_int64(query, 1, act->id);
    sqlite3_bind_text(query, 2, act->text.bytes, (int)act->text.length, SQLITE_STATIC);
    sqlite3_bind_int64(query, 3, act->now_ms);
    return run(database, query) && put_post_event(database, act);
}

static bool clear_post(struct database *database, struct act *act)
{
    sqlite3_stmt *query = database_begin(database, QUERY_POST_CLEAR);
    sqlite3_bind_int64(query, 1, act->id);
    sqlite3_bind_int64(query, 2, act->now_ms);
    return run(database, query) && put_post_event(database, act);
}

static sqlite3_stmt *begin_like(struct database *database, enum posts_query query,
                                const struct act *act)
{
    sqlite3_stmt *statement = database_begin(database, query);
    sqlite3_bind_int64(statement, 1, act->id);
    sqlite3_bind_int64(statement, 2, act->user);
    return statement;
}

static bool is_liked(struct database *database, const struct act *act)
{
    sqlite3_stmt *row = begin_like(database, QUERY_LIKED, act);
    bool found = database_next(row);
    return database_end(database, row) && found;
}

/* Liking twice is liking once, and makes one event. */
static bool add_like(struct database *database, struct act *act)
{
    if (is_liked(database, act))
        return true;
    sqlite3_stmt *insert = begin_like(database, QUERY_PUT_LIKE, act);
    sqlite3_bind_int64(insert, 3, act->now_ms);
    return run(database, insert) && put_event(database, begin_like(database, QUERY_LIKE_EVENT, act),
                                              &posts_feeds[FEED_LIKES], act->now_ms);
}

static bool remove_like(struct database *database, struct act *act)
{
    char id[48];
    char id_json[64];
    if (!is_liked(database, act))
        return true;
    snprintf(id, sizeof(id), "%" PRId64 ":%" PRId64, act->id, act->user);
    snprintf(id_json, sizeof(id_json), "\"%s\"", id);
    sqlite3_stmt *query = database_begin(database, QUERY_DELETE_LIKE);
    sqlite3_bind_text(query, 1, id, -1, SQLITE_STATIC);
    return run(database, query) &&
           outbox_delete(database, &posts_feeds[FEED_LIKES], id_json, act->now_ms);
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

/* Whether the post is there, and theirs if only its author may. */
static enum outcome_kind check_post(struct database *database, const struct act *act,
                                    bool is_for_author)
{
    int64_t author = author_of(database, act->id);
    if (author == 0)
        return OUTCOME_NOT_FOUND;
    return is_for_author && author != act->user ? OUTCOME_NOT_YOURS : OUTCOME_DONE;
}

static enum outcome_kind check(struct database *database, const struct act *act, apply_act *apply)
{
    if (apply == add_post)
        return thread_exists(database, act->id) ? OUTCOME_DONE : OUTCOME_NOT_FOUND;
    return check_post(database, act, apply == edit_post || apply == clear_post);
}

static struct outcome run_act(struct database *database, const struct http_request *request,
                              const struct post_write *write, apply_act *apply)
{
    struct outcome outcome;
    struct act act = {.user = write->user,
                      .id = write->id,
                      .text = write->text,
                      .now_ms = (int64_t)(request->now * 1000.)};
    if (!owned_write_open(database, request, &outcome))
        return outcome;
    outcome = outcome_of(check(database, &act, apply));
    if (outcome.kind == OUTCOME_DONE && !apply(database, &act))
        outcome = outcome_of(OUTCOME_BROKEN);
    outcome.id = act.id;
    return owned_write_close(database, outcome);
}

struct outcome posts_add(struct database *database, const struct http_request *request,
                         const struct post_write *write)
{
    return run_act(database, request, write, add_post);
}

struct outcome posts_edit(struct database *database, const struct http_request *request,
                          const struct post_write *write)
{
    return run_act(database, request, write, edit_post);
}

struct outcome posts_delete(struct database *database, const struct http_request *request,
                            const struct post_write *write)
{
    return run_act(database, request, write, clear_post);
}

struct outcome posts_like(struct database *database, const struct http_request *request,
                          const struct post_write *write)
{
    return run_act(database, request, write, add_like);
}

struct outcome posts_unlike(struct database *database, const struct http_request *request,
                            const struct post_write *write)
{
    return run_act(database, request, write, remove_like);
}
