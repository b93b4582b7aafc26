#include "extracted/users/users_api.h"

#include "extracted/service_kit/decimal.h"
#include "extracted/service_kit/json_reply.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/accounts.h"
#include "extracted/users/users_queries.h"

static void add_user(struct http_reply *reply, sqlite3_stmt *row)
{
    struct body_text *body = &reply->body;
    json_reply_integer(body, "{\"id\":", row, 0);
    json_reply_text(body, ",\"username\":", row, 1);
    json_reply_text(body, ",\"name\":", row, 2);
    if (reply->bug != BUG_DROPPED_FIELD)
        json_reply_text(body, ",\"bio\":", row, 3);
    json_reply_time(body, ",\"created_at\":", row, 4);
    body_text_add_string(body, "}");
}

static sqlite3_stmt *begin_user(struct database *database, int64_t id)
{
    sqlite3_stmt *row = database_begin(database, QUERY_PROFILE);
    sqlite3_bind_int64(row, 1, id);
    return row;
}

void users_api_reply(struct database *database, int64_t id, const char *before, const char *after,
                     struct http_reply *reply)
{
    sqlite3_stmt *row = begin_user(database, id);
    bool found = database_next(row);
    if (found) {
        body_text_add_string(&reply->body, before);
        add_user(reply, row);
        body_text_add_string(&reply->body, after);
    }
    if (!database_end(database, row))
        http_reply_fault(reply);
    else if (found)
        http_reply_json(reply);
    else
        problem_reply(reply, &(struct problem){.status = 404, .title = "Not Found"});
}

void users_api_one(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    int64_t id;
    if (json_request_id(request, reply, &id))
        users_api_reply(database, id, "", "", reply);
}

void users_api_batch(struct database *database, const struct http_request *request,
                     struct http_reply *reply)
{
    struct json_ids ids;
    struct json_list list;
    bool is_good = true;
    if (!json_request_ids(request, reply, &ids))
        return;
    json_list_begin(&list, reply);
    for (size_t i = 0; is_good && i < ids.count; i++) {
        sqlite3_stmt *row = begin_user(database, ids.each[i]);
        if (database_next(row)) {
            json_list_next(&list);
            add_user(reply, row);
        }
        is_good = database_end(database, row);
    }
    json_list_end(&list, reply, 1, list.count);
    if (!is_good)
        http_reply_fault(reply);
}

static void refuse(struct http_reply *reply, enum outcome_kind kind)
{
    struct outcome outcome = outcome_of(kind);
    problem_reply_outcome(reply, &outcome);
}

void users_api_me(struct database *database, const struct http_request *request,
                  struct http_reply *reply)
{
    int64_t user;
    if (!session_find_user(database, request, reply, &user))
        return;
    if (user == 0)
        refuse(reply, OUTCOME_NOT_LOGGED_IN);
    else
        users_api_reply(database, user, "", "", reply);
}

/* A member that is not there stays as it is; one that is has to be a string. */
static bool read_member(const json_t *object, const char *name, struct http_reply *reply,
                        struct http_view *room, const struct http_view **ret_value)
{
    *ret_value = NULL;
    if (json_object_get(object, name) == NULL)
        return true;
    if (!json_request_string(object, name, reply, room))
        return false;
    *ret_value = room;
    return true;
}

static void edit(const struct account_call *call, int64_t user, const json_t *object)
{
    struct profile_form form;
    struct http_view name;
    struct http_view bio;
    if (!read_member(object, "name", call->reply, &name, &form.name) ||
        !read_member(object, "bio", call->reply, &bio, &form.bio))
        return;
    struct outcome outcome = outcome_of(OUTCOME_NOT_FOUND);
    if (decimal_read_id(call->request->parameters[0], &form.id))
        outcome = profile_edit(call, user, &form);
    if (outcome.kind == OUTCOME_DONE)
        users_api_reply(call->database, form.id, "", "", call->reply);
    else
        problem_reply_outcome(call->reply, &outcome);
}

void users_api_edit(struct database *database, const struct http_request *request,
                    struct http_reply *reply)
{
    int64_t user;
    if (!session_find_user(database, request, reply, &user))
        return;
    json_t *object = json_request_read(request, reply);
    if (object != NULL)
        edit(&(struct account_call){database, request, reply}, user, object);
    json_decref(object);
}
