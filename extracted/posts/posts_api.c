#include "extracted/posts/posts_api.h"

#include "extracted/posts/posts_queries.h"
#include "extracted/posts/search_words.h"
#include "extracted/posts/thread_find.h"
#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"

static void reply_unknown(struct http_reply *reply)
{
    problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
}

/* All but the closing brace. Whether the author's name is known. */
static bool add_post(struct http_reply *reply, sqlite3_stmt *row)
{
    struct body_text *body = &reply->body;
    json_reply_integer(body, "{\"id\":", row, POST_ID);
    json_reply_integer(body, ",\"thread\":", row, POST_THREAD);
    bool is_known = authors_add(reply, row, POST_AUTHOR, POST_USERNAME);
    json_reply_text(body, ",\"text\":", row, POST_TEXT);
    json_reply_time(body, ",\"created_at\":", row, POST_CREATED);
    if (reply->bug != BUG_DROPPED_FIELD)
        json_reply_time(body, ",\"edited_at\":", row, POST_EDITED);
    json_reply_integer(body, ",\"likes\":", row, POST_LIKES);
    bool is_liked = sqlite3_column_int(row, POST_LIKED) != 0;
    body_text_add_string(body, is_liked ? ",\"liked\":true" : ",\"liked\":false");
    return is_known;
}

static void reply_list(struct database *database, const struct http_request *request,
                       const struct post_listing *listing, struct http_reply *reply)
{
    struct json_ids unknown = {0};
    struct json_list list;
    int64_t page;
    int64_t total = 0;
    if (!json_request_page(request, reply, &page))
        return;
    bool is_good = posts_listing_count(database, listing, &total) &&
                   authors_collect(database, posts_listing_begin(database, listing, page),
                                   POST_AUTHOR, POST_USERNAME, &unknown);
    if (is_good && !authors_ask(request, reply, &unknown))
        return;
    sqlite3_stmt *rows = posts_listing_begin(database, listing, page);
    json_list_begin(&list, reply);
    while (is_good && database_next(rows)) {
        json_list_next(&list);
        list.is_degraded |= !add_post(reply, rows);
        body_text_add_string(list.body, "}");
    }
    json_list_end(&list, reply, page, total);
    if (!database_end(database, rows) || !is_good)
        http_reply_fault(reply);
}

void posts_api_thread(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct post_listing listing = {.expression = NULL};
    struct outcome outcome;
    if (!session_find_user(database, request, reply, &listing.viewer) ||
        !json_request_id(request, reply, &listing.thread) ||
        !thread_find(database, request, reply, listing.thread, &outcome))
        return;
    if (outcome.kind == OUTCOME_DONE)
        reply_list(database, request, &listing, reply);
    else if (outcome.kind == OUTCOME_NOT_FOUND)
        reply_unknown(reply);
    else
        problem_reply_outcome(reply, &outcome);
}

/* False: the reply says what is wrong with the query. */
static bool read_words(const struct http_request *request, struct http_reply *reply,
                       struct body_text *expression)
{
    struct form form;
    if (!form_read(request->query, &form)) {
        problem_reply(reply, &(struct problem){.status = 400, .title = "Bad Request"});
        return false;
    }
    const char *fault = search_words_read(form_value(&form, "q"), expression);
    if (fault == NULL && expression->length == 0)
        fault = "It has no word in it.";
    form_done(&form);
    if (fault == NULL)
        return true;
    struct outcome outcome = outcome_field_fault("q", fault);
    problem_reply_outcome(reply, &outcome);
    return false;
}

void posts_api_search(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct body_text expression;
    struct post_listing listing = {.expression = &expression};
    if (!session_find_user(database, request, reply, &listing.viewer))
        return;
    body_text_init(&expression, SEARCH_EXPRESSION_LIMIT);
    if (read_words(request, reply, &expression))
        reply_list(database, request, &listing, reply);
    body_text_done(&expression);
}

void posts_api_reply(struct database *database, struct http_reply *reply, int64_t post,
                     int64_t viewer)
{
    sqlite3_stmt *row = posts_one_begin(database, post, viewer);
    bool found = database_next(row);
    if (found && add_post(reply, row))
        body_text_add_string(&reply->body, "}");
    else if (found)
        body_text_add_string(&reply->body, ",\"degraded\":[\"users\"]}");
    if (!database_end(database, row))
        http_reply_fault(reply);
    else if (found)
        http_reply_json(reply);
    else
        reply_unknown(reply);
}

void posts_api_one(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    int64_t post;
    int64_t viewer;
    struct json_ids unknown = {0};
    if (!session_find_user(database, request, reply, &viewer) ||
        !json_request_id(request, reply, &post))
        return;
    if (!authors_collect(database, posts_one_begin(database, post, viewer), POST_AUTHOR,
                         POST_USERNAME, &unknown))
        http_reply_fault(reply);
    else if (authors_ask(request, reply, &unknown))
        posts_api_reply(database, reply, post, viewer);
}
