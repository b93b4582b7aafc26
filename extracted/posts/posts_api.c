#include "extracted/posts/posts_api.h"

#include "extracted/posts/posts_queries.h"
#include "extracted/posts/search_words.h"
#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/query_string.h"
#include "extracted/service_kit/session.h"

/* A list in pages: the posts of a thread, or those with some words. */
struct listing {
    enum posts_query count;
    enum posts_query page_rows;
    int64_t thread;
    const struct body_text *expression; /* NULL: by thread */
    int64_t viewer;
    int64_t page;
    int64_t total;
};

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
    json_reply_time(body, ",\"edited_at\":", row, POST_EDITED);
    json_reply_integer(body, ",\"likes\":", row, POST_LIKES);
    bool is_liked = sqlite3_column_int(row, POST_LIKED) != 0;
    body_text_add_string(body, is_liked ? ",\"liked\":true" : ",\"liked\":false");
    return is_known;
}

static sqlite3_stmt *begin_listing(struct database *database, const struct listing *listing,
                                   enum posts_query query)
{
    const struct body_text *expression = listing->expression;
    sqlite3_stmt *rows = database_begin(database, query);
    if (expression != NULL)
        sqlite3_bind_text(rows, 1, expression->bytes, (int)expression->length, SQLITE_STATIC);
    else
        sqlite3_bind_int64(rows, 1, listing->thread);
    return rows;
}

static sqlite3_stmt *begin_page(struct database *database, const struct listing *listing)
{
    const int64_t last_page = INT32_MAX; /* a page past the end is empty, however far */
    int64_t page = listing->page < last_page ? listing->page : last_page;
    sqlite3_stmt *rows = begin_listing(database, listing, listing->page_rows);
    sqlite3_bind_int64(rows, 2, listing->viewer);
    sqlite3_bind_int64(rows, 3, JSON_PAGE_ROWS);
    sqlite3_bind_int64(rows, 4, (page - 1) * JSON_PAGE_ROWS);
    return rows;
}

static bool read_total(struct database *database, struct listing *listing)
{
    sqlite3_stmt *row = begin_listing(database, listing, listing->count);
    if (database_next(row))
        listing->total = sqlite3_column_int64(row, 0);
    return database_end(database, row);
}

static void reply_list(struct database *database, const struct http_request *request,
                       struct listing *listing, struct http_reply *reply)
{
    struct json_ids unknown = {0};
    struct json_list list;
    if (!read_total(database, listing) || !authors_collect(database, begin_page(database, listing),
                                                           POST_AUTHOR, POST_USERNAME, &unknown)) {
        http_reply_fault(reply);
        return;
    }
    if (!authors_ask(request, reply, &unknown))
        return;
    sqlite3_stmt *rows = begin_page(database, listing);
    json_list_begin(&list, reply);
    while (database_next(rows)) {
        json_list_next(&list);
        list.is_degraded |= !add_post(reply, rows);
        body_text_add_string(list.body, "}");
    }
    json_list_end(&list, reply, listing->page, listing->total);
    if (!database_end(database, rows))
        http_reply_fault(reply);
}

static bool has_thread(struct database *database, int64_t thread, struct http_reply *reply)
{
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, thread);
    bool found = database_next(row);
    if (!database_end(database, row))
        http_reply_fault(reply);
    else if (!found)
        reply_unknown(reply);
    return found;
}

void posts_api_thread(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct listing listing = {.count = QUERY_THREAD_COUNT, .page_rows = QUERY_THREAD_PAGE};
    if (session_find_user(database, request, reply, &listing.viewer) &&
        json_request_id(request, reply, &listing.thread) &&
        json_request_page(request, reply, &listing.page) &&
        has_thread(database, listing.thread, reply))
        reply_list(database, request, &listing, reply);
}

void posts_api_search(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    struct body_text expression;
    struct http_view words = {"", 0};
    struct listing listing = {
        .count = QUERY_SEARCH_COUNT, .page_rows = QUERY_SEARCH_PAGE, .expression = &expression};
    if (!session_find_user(database, request, reply, &listing.viewer) ||
        !json_request_page(request, reply, &listing.page))
        return;
    body_text_init(&expression, SEARCH_EXPRESSION_LIMIT);
    query_find(request->query, "q", &words);
    const char *fault = search_words_read(words, &expression);
    if (fault == NULL && !expression.overflowed)
        reply_list(database, request, &listing, reply);
    else
        problem_reply(reply, &(struct problem){.status = 422,
                                               .title = "Unprocessable Content",
                                               .detail = fault,
                                               .field = "q"});
    body_text_done(&expression);
}

static sqlite3_stmt *begin_post(struct database *database, int64_t post, int64_t viewer)
{
    sqlite3_stmt *row = database_begin(database, QUERY_POST);
    sqlite3_bind_int64(row, 1, post);
    sqlite3_bind_int64(row, 2, viewer);
    return row;
}

void posts_api_reply(struct database *database, struct http_reply *reply, int64_t post,
                     int64_t viewer)
{
    sqlite3_stmt *row = begin_post(database, post, viewer);
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
    if (!authors_collect(database, begin_post(database, post, viewer), POST_AUTHOR, POST_USERNAME,
                         &unknown))
        http_reply_fault(reply);
    else if (authors_ask(request, reply, &unknown))
        posts_api_reply(database, reply, post, viewer);
}
