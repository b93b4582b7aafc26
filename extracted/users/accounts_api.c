#include <inttypes.h>
#include <stdio.h>

#include "extracted/service_kit/cookies.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/problem.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/accounts.h"
#include "extracted/users/users_api.h"

static bool read_members(const json_t *object, bool with_name, struct http_reply *reply,
                         struct account_form *ret_form)
{
    return json_request_string(object, "username", reply, &ret_form->username) &&
           json_request_string(object, "password", reply, &ret_form->password) &&
           (!with_name || json_request_string(object, "name", reply, &ret_form->name));
}

static void reply_entered(const struct account_call *call, const struct outcome *outcome,
                          const struct token *sid, bool is_new)
{
    char location[64];
    if (outcome->kind != OUTCOME_DONE) {
        problem_reply_outcome(call->reply, outcome);
        return;
    }
    if (is_new) {
        snprintf(location, sizeof(location), "/api/2.0/users/%" PRId64, outcome->id);
        http_reply_add_field(call->reply, "location", location);
    }
    cookie_set_sid(call->request, call->reply, sid);
    users_api_reply(call->database, outcome->id, is_new ? "" : "{\"user\":", is_new ? "" : "}",
                    call->reply);
    if (call->reply->status == 200)
        call->reply->status = 201;
}

static void enter(const struct account_call *call, account_enter *open)
{
    struct account_form form = {0};
    struct outcome outcome;
    struct token sid;
    bool is_new = open == account_register;
    json_t *object = json_request_read(call->request, call->reply);
    if (object != NULL && read_members(object, is_new, call->reply, &form) &&
        open(call, &form, &sid, &outcome))
        reply_entered(call, &outcome, &sid, is_new);
    json_decref(object);
}

void users_api_register(struct database *database, const struct http_request *request,
                        struct http_reply *reply)
{
    enter(&(struct account_call){database, request, reply}, account_register);
}

void users_api_log_in(struct database *database, const struct http_request *request,
                      struct http_reply *reply)
{
    enter(&(struct account_call){database, request, reply}, account_log_in);
}

void users_api_log_out(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    struct account_call call = {database, request, reply};
    int64_t user;
    if (!session_find_user(database, request, reply, &user) ||
        !json_request_is_allowed(request, reply))
        return;
    struct outcome outcome = account_log_out(&call, user);
    if (outcome.kind != OUTCOME_DONE) {
        problem_reply_outcome(reply, &outcome);
        return;
    }
    http_reply_nothing(reply);
    cookie_forget_sid(request, reply);
}
