#include "monolith_stub/people/visitor.h"

#include <stdio.h>

#include "monolith_stub/feeds/ask.h"
#include "monolith_stub/feeds/follower.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/people/cookies.h"
#include "monolith_stub/people/session.h"
#include "monolith_stub/store_pool.h"

static void log_in(struct visitor *visitor, const struct session *session)
{
    visitor->user = session->user;
    snprintf(visitor->username, sizeof(visitor->username), "%s", session->username);
}

void visitor_read(struct forum *forum, struct request *request)
{
    struct visitor *visitor = &request->visitor;
    visitor->state = VISITOR_READ;
    cookie_find(request->cookie, "vsid", &visitor->vsid);
    struct token_hex hash;
    if (!cookie_find(request->cookie, "sid", &visitor->sid) || !token_hash(&visitor->sid, &hash))
        return;
    struct session session;
    struct store *store = store_pool_take(forum->pool);
    enum session_found found = session_find(store, hash.text, &session);
    /* Whose name has not come yet is not settled, either. */
    bool is_known = found == SESSION_KNOWN && session.username[0] != 0;
    bool is_settled =
        forum->follower == NULL || follower_sessions_are_settled(forum->follower, store, is_known);
    store_pool_give_back(forum->pool, store);
    if (found == SESSION_KNOWN)
        log_in(visitor, &session);
    if (!is_settled)
        visitor->state = VISITOR_ASK_OTHER;
    else if (found != SESSION_KNOWN)
        visitor->sid = (struct token){0};
}

/* Nobody answers: a session that we know is good, one that we do not know is none. */
void visitor_ask_other(struct forum *forum, struct request *request)
{
    struct visitor *visitor = &request->visitor;
    visitor->state = VISITOR_READ;
    struct token_hex hash;
    struct session session = {0};
    if (!token_hash(&visitor->sid, &hash))
        return;
    long patience_ms = visitor->user != 0 ? ASK_SESSION_MS : ASK_UNKNOWN_SESSION_MS;
    switch (ask_session(forum, hash.text, patience_ms, &session)) {
    case ASK_YES: {
        if (session.username[0] == 0) {
            struct store *store = store_pool_take(forum->pool);
            session_read_username(store, &session);
            store_pool_give_back(forum->pool, store);
        }
        log_in(visitor, &session);
        break;
    }
    case ASK_NO:
        visitor->user = 0;
        break;
    case ASK_NOTHING:
        visitor->is_unsure = visitor->user == 0;
        break;
    }
    if (visitor->user == 0)
        visitor->sid = (struct token){0};
}

struct outcome visitor_refusal(const struct visitor *visitor)
{
    return outcome_of(visitor->is_unsure ? OUTCOME_OUT_OF_REACH : OUTCOME_NOT_LOGGED_IN);
}

const struct token *visitor_token(const struct visitor *visitor)
{
    return visitor->user != 0 ? &visitor->sid : &visitor->vsid;
}
