#include "extracted/threads/threads_api.h"

#include <inttypes.h>
#include <stdio.h>

#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"
#include "extracted/threads/threads_queries.h"
#include "extracted/threads/threads_write.h"

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
        json_reply_integer(list.body, "{\"id\":", row, CATEGORY_ID);
        json_reply_text(list.body, ",\"slug\":", row, CATEGORY_SLUG);
        json_reply_text(list.body, ",\"title\":", row, CATEGORY_TITLE);
        json_reply_text(list.body, ",\"description\":", row, CATEGORY_DESCRIPTION);
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
    sqlite3_stmt *row = threads_category_begin(database, request->parameters[0]);
    bool found = database_next(row);
    if (found) {
        ret_category->id = sqlite3_column_int64(row, CATEGORY_ID);
        ret_category->total = sqlite3_column_int64(row, CATEGORY_THREADS);
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
    return threads_page_begin(database, category->id, JSON_PAGE_ROWS, (page - 1) * JSON_PAGE_ROWS);
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

static void add_and_reply(struct database *database, const struct http_request *request,
                          const struct new_thread *thread, struct http_reply *reply)
{
    char location[64];
    struct outcome outcome = threads_add(database, request, thread);
    if (outcome.kind != OUTCOME_DONE) {
        problem_reply_outcome(reply, &outcome);
        return;
    }
    reply_thread(database, outcome.id, 201, reply);
    snprintf(location, sizeof(location), "/api/2.0/threads/%" PRId64, outcome.id);
    http_reply_add_field(reply, "location", location);
}

void threads_api_add(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct new_thread thread = {.user = 0};
    struct outcome stranger = outcome_of(OUTCOME_NOT_LOGGED_IN);
    if (!session_find_user(database, request, reply, &thread.user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL && thread.user == 0)
        problem_reply_outcome(reply, &stranger);
    else if (object != NULL && json_request_text(object, &category_field, reply, &thread.slug) &&
             json_request_text(object, &threads_title_field, reply, &thread.title))
        add_and_reply(database, request, &thread, reply);
    json_decref(object);
}
