#include "monolith_stub/people/session_check.h"

#include "monolith_stub/api2/problem.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/json_write.h"
#include "monolith_stub/people/session.h"

static void look_up(struct forum *forum, const char *hash, struct reply *reply)
{
    struct session session;
    struct outcome not_owner = outcome_of(OUTCOME_NOT_OWNER);
    struct store *store = store_pool_take(forum->pool);
    enum session_found found = session_find(store, hash, &session);
    if (!ownership_read(store, AGGREGATE_USERS, &not_owner.ownership))
        found = SESSION_BROKEN;
    store_pool_give_back(forum->pool, store);
    bool is_ours = not_owner.ownership.is_ours;
    switch (found) {
    case SESSION_BROKEN:
        reply_fault(reply);
        break;
    case SESSION_UNKNOWN: /* if it is not ours to know, it may just not be here yet */
        if (is_ours)
            problem_answer_status(reply, 404);
        else
            problem_answer_outcome(reply, &not_owner);
        break;
    case SESSION_KNOWN:
        json_write_integer(&reply->body, "{\"user\":", session.user);
        json_write_integer(&reply->body, ",\"expires_ms\":", session.expires_ms);
        if (session.username[0] != 0)
            json_write_string(&reply->body, ",\"username\":", session.username);
        text_append_string(&reply->body, is_ours ? ",\"owner\":true}" : ",\"owner\":false}");
        reply_json(reply);
        break;
    }
}

void session_check_answer(struct forum *forum, const struct request *request, struct reply *reply)
{
    json_t *object = json_body_read(request, reply);
    struct text_view hash;
    if (object != NULL && json_body_string(object, "id", reply, &hash)) {
        if (token_is_hash(hash.bytes, hash.length)) {
            look_up(forum, hash.bytes, reply);
        } else {
            struct outcome fault = outcome_field_fault("id", "It is no SHA-256 in lower-case hex.");
            problem_answer_outcome(reply, &fault);
        }
    }
    json_decref(object);
}
