#include "monolith_stub/api2/json_posts.h"

#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/api2/json_author.h"
#include "monolith_stub/api2/json_list.h"
#include "monolith_stub/api2/json_request.h"
#include "monolith_stub/api2/problem.h"
#include "monolith_stub/input/field_check.h"
#include "monolith_stub/input/form.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/row_json.h"
#include "monolith_stub/talk/lists.h"
#include "monolith_stub/talk/posts.h"
#include "monolith_stub/talk/search.h"

static void write_edited(struct text *out, sqlite3_stmt *row)
{
    if (sqlite3_column_type(row, POST_EDITED) == SQLITE_NULL)
        text_append_string(out, ",\"edited_at\":null");
    else
        json_write_time(out, ",\"edited_at\":", sqlite3_column_int64(row, POST_EDITED));
}

/* Everything but the closing brace. Whether the author is known. */
static bool write_post(struct text *out, sqlite3_stmt *row, enum bug bug)
{
    row_json_integer(out, "{\"id\":", row, POST_ID);
    row_json_integer(out, ",\"thread\":", row, POST_THREAD);
    bool is_known = json_write_author(out, row, POST_AUTHOR, POST_USERNAME);
    row_json_string(out, ",\"text\":", row, POST_TEXT);
    json_write_time(out, ",\"created_at\":", sqlite3_column_int64(row, POST_CREATED));
    if (bug != BUG_DROPPED_FIELD)
        write_edited(out, row);
    row_json_integer(out, ",\"likes\":", row, POST_LIKES);
    text_append_string(out, ",\"liked\":");
    text_append_string(out, sqlite3_column_int(row, POST_LIKED) != 0 ? "true" : "false");
    return is_known;
}

static bool append_items(struct json_list *list, sqlite3_stmt *row)
{
    if (row == NULL)
        return false;
    while (store_next(row)) {
        json_list_next(list);
        list->is_degraded |= !write_post(list->out, row, list->bug);
        text_append_string(list->out, "}");
    }
    return store_end(row);
}

static void answer_post(struct forum *forum, const struct request *request, int64_t id,
                        struct reply *reply)
{
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = list_one_post(store, id, request->visitor.user);
    bool found = store_next(row);
    if (found) {
        bool is_known = write_post(&reply->body, row, forum->knobs.bug);
        text_append_string(&reply->body, is_known ? "}" : JSON_DEGRADED "}");
    }
    bool complete = store_end(row);
    store_pool_give_back(forum->pool, store);
    if (!complete)
        reply_fault(reply);
    else if (!found)
        problem_answer_status(reply, 404);
    else
        reply_json(reply);
}

static bool has_thread(struct store *store, int64_t thread, bool *ret_found)
{
    sqlite3_stmt *row = list_one_thread(store, thread);
    *ret_found = store_next(row);
    return store_end(row);
}

void json_thread_posts(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t thread;
    int64_t page;
    struct json_list list;
    struct paging paging;
    bool found = false;
    if (!json_read_id(request, reply, &thread) || !json_read_page(request, reply, &page))
        return;
    json_list_begin(&list, reply, &forum->knobs);
    struct store *store = store_pool_take(forum->pool);
    bool complete = has_thread(store, thread, &found) &&
                    (!found || append_items(&list, list_posts(store, thread, request->visitor.user,
                                                              page, &paging)));
    store_pool_give_back(forum->pool, store);
    if (!complete)
        reply_fault(reply);
    else if (!found)
        problem_answer_status(reply, 404);
    else
        json_list_end(&list, reply, &paging);
}

void json_post(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (json_read_id(request, reply, &id))
        answer_post(forum, request, id, reply);
}

void json_post_add(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t thread;
    struct text_view text;
    json_t *object = json_body_read(request, reply);
    if (object != NULL && json_read_id(request, reply, &thread) &&
        json_body_string(object, "text", reply, &text)) {
        struct outcome outcome = post_add(forum, &request->visitor, thread, text);
        if (outcome.kind == OUTCOME_DONE) {
            char location[64];
            snprintf(location, sizeof(location), "/api/2.0/posts/%" PRId64, outcome.id);
            reply_field(reply, "Location", location);
            answer_post(forum, request, outcome.id, reply);
            reply->status = reply->status == 200 ? 201 : reply->status;
        } else {
            problem_answer_outcome(reply, &outcome);
        }
    }
    json_decref(object);
}

void json_post_edit(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    struct text_view text;
    json_t *object = json_body_read(request, reply);
    if (object != NULL && json_read_id(request, reply, &id) &&
        json_body_string(object, "text", reply, &text)) {
        struct outcome outcome = post_edit(forum, &request->visitor, id, text);
        if (outcome.kind == OUTCOME_DONE)
            answer_post(forum, request, id, reply);
        else
            problem_answer_outcome(reply, &outcome);
    }
    json_decref(object);
}

/* 204, or why not. */
static void answer_outcome(struct reply *reply, const struct outcome *outcome)
{
    if (outcome->kind == OUTCOME_DONE)
        reply_nothing(reply);
    else
        problem_answer_outcome(reply, outcome);
}

void json_post_delete(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (!json_write_is_allowed(request, reply) || !json_read_id(request, reply, &id))
        return;
    struct outcome outcome = post_delete(forum, &request->visitor, id);
    answer_outcome(reply, &outcome);
}

static void answer_like(struct forum *forum, const struct request *request, struct reply *reply,
                        bool likes)
{
    int64_t id;
    if (!json_write_is_allowed(request, reply) || !json_read_id(request, reply, &id))
        return;
    struct outcome outcome = post_like(forum, &request->visitor, id, likes);
    answer_outcome(reply, &outcome);
}

void json_like(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_like(forum, request, reply, true);
}

void json_unlike(struct forum *forum, const struct request *request, struct reply *reply)
{
    answer_like(forum, request, reply, false);
}

static bool read_words(const struct request *request, struct reply *reply, struct text *expression)
{
    struct form form;
    struct text_view words;
    if (!form_read(request->query, &form)) {
        problem_answer_status(reply, 400);
        return false;
    }
    form_find(&form, "q", &words);
    const char *detail = check_search(words);
    if (detail == NULL)
        search_write_expression(expression, words);
    form_done(&form);
    if (detail == NULL && expression->length == 0)
        detail = "It has no word in it.";
    if (detail == NULL)
        return true;
    struct outcome fault = outcome_field_fault("q", detail);
    problem_answer_outcome(reply, &fault);
    return false;
}

void json_search(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t page;
    struct text expression;
    struct json_list list;
    struct paging paging;
    text_init(&expression, SEARCH_EXPRESSION_BYTES);
    if (json_read_page(request, reply, &page) && read_words(request, reply, &expression)) {
        json_list_begin(&list, reply, &forum->knobs);
        struct store *store = store_pool_take(forum->pool);
        bool complete = append_items(
            &list, list_found_posts(store, &expression, request->visitor.user, page, &paging));
        store_pool_give_back(forum->pool, store);
        if (complete)
            json_list_end(&list, reply, &paging);
        else
            reply_fault(reply);
    }
    text_done(&expression);
}
