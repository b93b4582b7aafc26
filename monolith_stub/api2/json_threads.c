#include "monolith_stub/api2/json_threads.h"

#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/api2/json_author.h"
#include "monolith_stub/api2/json_list.h"
#include "monolith_stub/api2/json_request.h"
#include "monolith_stub/api2/problem.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/row_json.h"
#include "monolith_stub/talk/lists.h"
#include "monolith_stub/talk/threads.h"

/* Everything but the closing brace. Whether the author is known. */
static bool write_thread(struct text *out, sqlite3_stmt *row)
{
    row_json_integer(out, "{\"id\":", row, THREAD_ID);
    row_json_string(out, ",\"title\":", row, THREAD_TITLE);
    row_json_string(out, ",\"category\":{\"slug\":", row, THREAD_SLUG);
    row_json_string(out, ",\"title\":", row, THREAD_CATEGORY);
    text_append_string(out, "}");
    bool is_known = json_write_author(out, row, THREAD_AUTHOR, THREAD_USERNAME);
    json_write_time(out, ",\"created_at\":", sqlite3_column_int64(row, THREAD_CREATED));
    return is_known;
}

static void append_item(struct json_list *list, sqlite3_stmt *row)
{
    json_list_next(list);
    list->is_degraded |= !write_thread(list->out, row);
    text_append_string(list->out, "}");
}

static void answer_thread(struct forum *forum, int64_t id, unsigned status, struct reply *reply)
{
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = list_one_thread(store, id);
    bool found = store_next(row);
    if (found)
        text_append_string(&reply->body, write_thread(&reply->body, row) ? "}" : JSON_DEGRADED "}");
    bool complete = store_end(row);
    store_pool_give_back(forum->pool, store);
    if (!complete) {
        reply_fault(reply);
    } else if (!found) {
        problem_answer_status(reply, 404);
    } else {
        reply_json(reply);
        reply->status = status;
    }
}

void json_categories(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    struct json_list list;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = store_begin(store, QUERY_CATEGORIES);
    json_list_begin(&list, reply, &forum->knobs);
    while (list.count < ID_LIST_LIMIT && store_next(row)) {
        json_list_next(&list);
        row_json_integer(list.out, "{\"id\":", row, 0);
        row_json_string(list.out, ",\"slug\":", row, 1);
        row_json_string(list.out, ",\"title\":", row, 2);
        row_json_string(list.out, ",\"description\":", row, 3);
        text_append_string(list.out, "}");
    }
    bool complete = store_end(row);
    store_pool_give_back(forum->pool, store);
    if (complete)
        json_list_end_whole(&list, reply);
    else
        reply_fault(reply);
}

static bool list_category(struct store *store, int64_t category, int64_t page,
                          struct json_list *list, struct paging *paging)
{
    sqlite3_stmt *row = list_threads(store, category, page, paging);
    if (row == NULL)
        return false;
    while (store_next(row))
        append_item(list, row);
    return store_end(row);
}

void json_category_threads(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t page;
    int64_t category = 0;
    struct paging paging;
    struct json_list list;
    if (!json_read_page(request, reply, &page))
        return;
    json_list_begin(&list, reply, &forum->knobs);
    struct store *store = store_pool_take(forum->pool);
    bool complete = category_find(store, request->parameters[0], &category) &&
                    (category == 0 || list_category(store, category, page, &list, &paging));
    store_pool_give_back(forum->pool, store);
    if (!complete)
        reply_fault(reply);
    else if (category == 0)
        problem_answer_status(reply, 404);
    else
        json_list_end(&list, reply, &paging);
}

void json_threads(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct id_list ids;
    struct json_list list;
    if (!json_read_ids(request, reply, &ids))
        return;
    bool complete = true;
    json_list_begin(&list, reply, &forum->knobs);
    struct store *store = store_pool_take(forum->pool);
    for (unsigned i = 0; complete && i < ids.count; i++) {
        sqlite3_stmt *row = list_one_thread(store, ids.ids[i]);
        if (store_next(row))
            append_item(&list, row);
        complete = store_end(row);
    }
    store_pool_give_back(forum->pool, store);
    if (complete)
        json_list_end_whole(&list, reply);
    else
        reply_fault(reply);
}

void json_thread(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (json_read_id(request, reply, &id))
        answer_thread(forum, id, 200, reply);
}

void json_thread_add(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct text_view category;
    struct text_view title;
    json_t *object = json_body_read(request, reply);
    if (object != NULL && json_body_string(object, "category", reply, &category) &&
        json_body_string(object, "title", reply, &title)) {
        struct outcome outcome = thread_add(forum, &request->visitor, category, title);
        if (outcome.kind == OUTCOME_DONE) {
            char location[64];
            snprintf(location, sizeof(location), "/api/2.0/threads/%" PRId64, outcome.id);
            reply_field(reply, "Location", location);
            answer_thread(forum, outcome.id, 201, reply);
        } else {
            problem_answer_outcome(reply, &outcome);
        }
    }
    json_decref(object);
}
