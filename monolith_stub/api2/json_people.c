#include "monolith_stub/api2/json_people.h"

#include <inttypes.h>
#include <stdio.h>

#include "monolith_stub/api2/json_list.h"
#include "monolith_stub/api2/json_request.h"
#include "monolith_stub/api2/problem.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/people/accounts.h"
#include "monolith_stub/people/cookies.h"
#include "monolith_stub/row_json.h"

static void write_user(struct text *out, sqlite3_stmt *row, bool drops_bio)
{
    row_json_integer(out, "{\"id\":", row, 0);
    row_json_string(out, ",\"username\":", row, 1);
    row_json_string(out, ",\"name\":", row, 2);
    if (!drops_bio)
        row_json_string(out, ",\"bio\":", row, 3);
    json_write_time(out, ",\"created_at\":", sqlite3_column_int64(row, 4));
    text_append_string(out, "}");
}

/* Appends the user if there is one. False: the fault was logged. */
static bool append_user(struct forum *forum, int64_t id, const char *prefix, struct text *out)
{
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *row = store_begin(store, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, id);
    if (store_next(row)) {
        text_append_string(out, prefix);
        write_user(out, row, forum->knobs.bug == BUG_DROPPED_FIELD);
    }
    bool complete = store_end(row);
    store_pool_give_back(forum->pool, store);
    return complete;
}

/* The user between two texts, or 404. */
static void answer_user_within(struct forum *forum, int64_t id, const char *before,
                               const char *after, struct reply *reply)
{
    if (!append_user(forum, id, before, &reply->body)) {
        reply_fault(reply);
    } else if (reply->body.length == 0) {
        problem_answer_status(reply, 404);
    } else {
        text_append_string(&reply->body, after);
        reply_json(reply);
    }
}

static void answer_user(struct forum *forum, int64_t id, struct reply *reply)
{
    answer_user_within(forum, id, "", "", reply);
}

void json_register(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct account_form form;
    struct token sid;
    json_t *object = json_body_read(request, reply);
    if (object != NULL && json_body_string(object, "username", reply, &form.username) &&
        json_body_string(object, "password", reply, &form.password) &&
        json_body_string(object, "name", reply, &form.name)) {
        struct outcome outcome = account_register(forum, &form, &sid);
        if (outcome.kind == OUTCOME_DONE) {
            char location[64];
            snprintf(location, sizeof(location), "/api/2.0/users/%" PRId64, outcome.id);
            reply_field(reply, "Location", location);
            cookie_set_sid(request, reply, &sid);
            answer_user(forum, outcome.id, reply);
            reply->status = reply->status == 200 ? 201 : reply->status;
        } else {
            problem_answer_outcome(reply, &outcome);
        }
    }
    json_decref(object);
}

void json_log_in(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct account_form form = {0};
    struct token sid;
    json_t *object = json_body_read(request, reply);
    if (object != NULL && json_body_string(object, "username", reply, &form.username) &&
        json_body_string(object, "password", reply, &form.password)) {
        struct outcome outcome = account_log_in(forum, &form, &sid);
        if (outcome.kind == OUTCOME_DONE) {
            cookie_set_sid(request, reply, &sid);
            answer_user_within(forum, outcome.id, "{\"user\":", "}", reply);
            reply->status = reply->status == 200 ? 201 : reply->status;
        } else {
            problem_answer_outcome(reply, &outcome);
        }
    }
    json_decref(object);
}

void json_log_out(struct forum *forum, const struct request *request, struct reply *reply)
{
    if (!json_write_is_allowed(request, reply))
        return;
    struct outcome outcome = account_log_out(forum, &request->visitor);
    if (outcome.kind != OUTCOME_DONE) {
        problem_answer_outcome(reply, &outcome);
        return;
    }
    reply_nothing(reply);
    cookie_forget_sid(request, reply);
}

void json_me(struct forum *forum, const struct request *request, struct reply *reply)
{
    if (request->visitor.user != 0) {
        answer_user(forum, request->visitor.user, reply);
        return;
    }
    struct outcome outcome = visitor_refusal(&request->visitor);
    problem_answer_outcome(reply, &outcome);
}

void json_user(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id;
    if (json_read_id(request, reply, &id))
        answer_user(forum, id, reply);
}

void json_users(struct forum *forum, const struct request *request, struct reply *reply)
{
    struct id_list ids;
    struct json_list list;
    if (!json_read_ids(request, reply, &ids))
        return;
    bool complete = true;
    json_list_begin(&list, reply, &forum->knobs);
    struct store *store = store_pool_take(forum->pool);
    for (unsigned i = 0; complete && i < ids.count; i++) {
        sqlite3_stmt *row = store_begin(store, QUERY_PROFILE);
        sqlite3_bind_int64(row, 1, ids.ids[i]);
        if (store_next(row)) {
            json_list_next(&list);
            write_user(list.out, row, list.bug == BUG_DROPPED_FIELD);
        }
        complete = store_end(row);
    }
    store_pool_give_back(forum->pool, store);
    if (complete)
        json_list_end_whole(&list, reply);
    else
        reply_fault(reply);
}

void json_user_edit(struct forum *forum, const struct request *request, struct reply *reply)
{
    int64_t id = 0;
    struct text_view name;
    struct text_view bio;
    json_t *object = json_body_read(request, reply);
    if (object == NULL)
        return;
    bool has_name = json_object_get(object, "name") != NULL;
    bool has_bio = json_object_get(object, "bio") != NULL;
    if ((!has_name || json_body_string(object, "name", reply, &name)) &&
        (!has_bio || json_body_string(object, "bio", reply, &bio))) {
        struct outcome outcome = outcome_of(OUTCOME_NOT_FOUND);
        if (id_read(request->parameters[0], &id))
            outcome = profile_edit(forum, &request->visitor, id, has_name ? &name : NULL,
                                   has_bio ? &bio : NULL);
        if (outcome.kind == OUTCOME_DONE)
            answer_user(forum, id, reply);
        else
            problem_answer_outcome(reply, &outcome);
    }
    json_decref(object);
}
