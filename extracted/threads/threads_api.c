#include "extracted/threads/threads_api.h"

#include <inttypes.h>
#include <stdio.h>

#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/owned_write.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"
#include "extracted/threads/threads_queries.h"

static const struct json_field title_field = {"title", 3, 120,
                                              "A title is 3 to 120 characters long."};
static const struct json_field category_field = {"category", 1, 120,
                                                 "A category is named by its slug."};

static void reply_unknown(struct http_reply *reply)
{
    problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
}

void threads_api_categories(struct database *database, const struct http_request *request,
                            struct http_reply *reply)
{
    (void)request;
    struct json_list list;
    sqlite3_stmt *row = database_begin(database, QUERY_CATEGORIES);
    json_list_begin(&list, reply);
    while (database_next(row)) {
        json_list_next(&list);
        json_reply_integer(list.body, "{\"id\":", row, 0);
        json_reply_text(list.body, ",\"slug\":", row, 1);
        json_reply_text(list.body, ",\"title\":", row, 2);
        json_reply_text(list.body, ",\"description\":", row, 3);
        body_text_add_string(list.body, "}");
    }
    json_list_end(&list, reply, 1, list.count);
    if (!database_end(database, row))
        http_reply_fault(reply);
}

/* All but the closing brace. Whether the author's name is known. */
static bool add_thread(struct http_reply *reply, sqlite3_stmt *row)
{
    struct body_text *body = &reply->body;
    json_reply_integer(body, "{\"id\":", row, THREAD_ID);
    json_reply_text(body, ",\"title\":", row, THREAD_TITLE);
    json_reply_text(body, ",\"category\":{\"slug\":", row, THREAD_SLUG);
    json_reply_text(body, ",\"title\":", row, THREAD_CATEGORY);
    body_text_add_string(body, "}");
    bool is_known = authors_add(reply, row, THREAD_AUTHOR, THREAD_USERNAME);
    json_reply_time(body, ",\"created_at\":", row, THREAD_CREATED);
    return is_known;
}

static void add_item(struct json_list *list, struct http_reply *reply, sqlite3_stmt *row)
{
    json_list_next(list);
    list->is_degraded |= !add_thread(reply, row);
    body_text_add_string(list->body, "}");
}

static sqlite3_stmt *begin_thread(struct database *database, int64_t id)
{
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD);
    sqlite3_bind_int64(row, 1, id);
    return row;
}

struct category {
    int64_t id;
    int64_t total;
    int64_t page;
};

/* False: there is none of that slug, or no such page; the reply says it. */
static bool find_category(struct database *database, const struct http_request *request,
                          struct http_reply *reply, struct category *ret_category)
{
    if (!json_request_page(request, reply, &ret_category->page))
        return false;
    struct http_view slug = request->parameters[0];
    sqlite3_stmt *row = database_begin(database, QUERY_CATEGORY);
    sqlite3_bind_text(row, 1, slug.bytes, (int)slug.length, SQLITE_STATIC);
    bool found = database_next(row);
    if (found) {
        ret_category->id = sqlite3_column_int64(row, 0);
        ret_category->total = sqlite3_column_int64(row, 1);
    }
    if (!database_end(database, row))
        http_reply_fault(reply);
    else if (!found)
        reply_unknown(reply);
    return found;
}

static sqlite3_stmt *begin_page(struct database *database, const struct category *category)
{
    const int64_t last_page = INT32_MAX; /* a page past the end is empty, however far */
    int64_t page = category->page < last_page ? category->page : last_page;
    sqlite3_stmt *rows = database_begin(database, QUERY_CATEGORY_PAGE);
    sqlite3_bind_int64(rows, 1, category->id);
    sqlite3_bind_int64(rows, 2, JSON_PAGE_ROWS);
    sqlite3_bind_int64(rows, 3, (page - 1) * JSON_PAGE_ROWS);
    return rows;
}

void threads_api_category(struct database *database, const struct http_request *request,
                          struct http_reply *reply)
{
    struct category category = {0};
    struct json_ids unknown = {0};
    struct json_list list;
    if (!find_category(database, request, reply, &category))
        return;
    if (!authors_collect(database, begin_page(database, &category), THREAD_AUTHOR, THREAD_USERNAME,
                         &unknown)) {
        http_reply_fault(reply);
        return;
    }
    if (!authors_ask(request, reply, &unknown))
        return;
    sqlite3_stmt *rows = begin_page(database, &category);
    json_list_begin(&list, reply);
    while (database_next(rows))
        add_item(&list, reply, rows);
    json_list_end(&list, reply, category.page, category.total);
    if (!database_end(database, rows))
        http_reply_fault(reply);
}

void threads_api_batch(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    struct json_ids ids;
    struct json_ids unknown = {0};
    struct json_list list;
    bool is_good = true;
    if (!json_request_ids(request, reply, &ids))
        return;
    for (size_t i = 0; is_good && i < ids.count; i++)
        is_good = authors_collect(database, begin_thread(database, ids.each[i]), THREAD_AUTHOR,
                                  THREAD_USERNAME, &unknown);
    if (is_good && !authors_ask(request, reply, &unknown))
        return;
    json_list_begin(&list, reply);
    for (size_t i = 0; is_good && i < ids.count; i++) {
        sqlite3_stmt *row = begin_thread(database, ids.each[i]);
        if (database_next(row))
            add_item(&list, reply, row);
        is_good = database_end(database, row);
    }
    json_list_end(&list, reply, 1, list.count);
    if (!is_good)
        http_reply_fault(reply);
}

static void reply_thread(struct database *database, int64_t id, unsigned status,
                         struct http_reply *reply)
{
    sqlite3_stmt *row = begin_thread(database, id);
    bool found = database_next(row);
    if (found && add_thread(reply, row))
        body_text_add_string(&reply->body, "}");
    else if (found)
        body_text_add_string(&reply->body, ",\"degraded\":[\"users\"]}");
    if (!database_end(database, row)) {
        http_reply_fault(reply);
    } else if (!found) {
        reply_unknown(reply);
    } else {
        http_reply_json(reply);
        reply->status = status;
    }
}

void threads_api_one(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    int64_t id;
    struct json_ids unknown = {0};
    if (!json_request_id(request, reply, &id))
        return;
    if (!authors_collect(database, begin_thread(database, id), THREAD_AUTHOR, THREAD_USERNAME,
                         &unknown))
        http_reply_fault(reply);
    else if (authors_ask(request, reply, &unknown))
        reply_thread(database, id, 200, reply);
}

struct new_thread {
    struct http_view title;
    struct http_view slug;
    int64_t user;
    int64_t now_ms;
};

static int64_t find_slug(struct database *database, struct http_view slug)
{
    sqlite3_stmt *row = database_begin(database, QUERY_CATEGORY);
    sqlite3_bind_text(row, 1, slug.bytes, (int)slug.length, SQLITE_STATIC);
    int64_t id = database_next(row) ? sqlite3_column_int64(row, 0) : 0;
    return database_end(database, row) ? id : 0;
}

/* Row and event. 0: it failed; logged. */
static int64_t store(struct database *database, const struct new_thread *thread, int64_t category)
{
    size_t length;
    sqlite3_stmt *insert = database_begin(database, QUERY_THREAD_ADD);
    sqlite3_bind_text(insert, 1, thread->title.bytes, (int)thread->title.length, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, thread->user);
    sqlite3_bind_int64(insert, 3, category);
    sqlite3_bind_int64(insert, 4, thread->now_ms);
    int64_t id = database_next(insert) ? sqlite3_column_int64(insert, 0) : 0;
    while (id != 0 && database_next(insert))
        continue; /* RETURNING is over only when the statement is */
    if (!database_end(database, insert) || id == 0)
        return 0;
    sqlite3_stmt *row = database_begin(database, QUERY_THREAD_EVENT);
    sqlite3_bind_int64(row, 1, id);
    bool stored = database_next(row) &&
                  outbox_put(database, &threads_feeds[FEED_THREADS], database_text(row, 0, &length),
                             database_text(row, 1, &length), thread->now_ms);
    return database_end(database, row) && stored ? id : 0;
}

static void add_and_reply(struct database *database, const struct http_request *request,
                          const struct new_thread *thread, struct http_reply *reply)
{
    char location[64];
    if (!owned_write_begin(database, request, reply))
        return;
    int64_t category = find_slug(database, thread->slug);
    if (category == 0) {
        database_transaction_end(database, false);
        problem_reply(reply, &(struct problem){.status = 422,
                                               .title = "Unprocessable Content",
                                               .detail = "There is no such category.",
                                               .field = "category"});
        return;
    }
    int64_t id = store(database, thread, category);
    if (!owned_write_end(database, reply, id != 0))
        return;
    reply_thread(database, id, 201, reply);
    snprintf(location, sizeof(location), "/api/2.0/threads/%" PRId64, id);
    http_reply_add_field(reply, "location", location);
}

void threads_api_add(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct new_thread thread = {.now_ms = (int64_t)(request->now * 1000.)};
    if (!session_find_user(database, request, reply, &thread.user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL && json_request_text(object, &category_field, reply, &thread.slug) &&
        json_request_text(object, &title_field, reply, &thread.title)) {
        if (thread.user == 0)
            problem_reply(reply, &(struct problem){.status = 401,
                                                   .title = "Unauthorized",
                                                   .detail = "Log in first."});
        else
            add_and_reply(database, request, &thread, reply);
    }
    json_decref(object);
}
