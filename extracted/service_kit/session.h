/*
 * Who asks. A session is known by the hash of its cookie's token; our copy of the sessions is good
 * as long as it is fresh or the sessions are ours, else the other applications are asked. The
 * loop's thread.
 */
#ifndef SERVICE_KIT_SESSION_H
#define SERVICE_KIT_SESSION_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/outcome.h"

enum {
    SESSION_HASH_LENGTH = 64,      /* SHA-256 in hex */
    SESSION_ASK_MS = 150,          /* about one that we know */
    SESSION_ASK_UNKNOWN_MS = 1000, /* without an answer somebody would be taken for a stranger */
    SESSION_LAG_MS = 1000,         /* a copy that is further behind is not believed */
};

/* The user who is logged in, or 0. False: the reply waits, return at once. */
bool session_find_user(struct database *database, const struct http_request *request,
                       struct http_reply *reply, int64_t *ret_user);

/* The same outcome, but for "log in first" after a question about their session that was not
 * answered: nobody knows whether they are logged in. */
struct outcome session_outcome(const struct http_reply *reply, const struct outcome *outcome);

/* The token of a cookie of that name, and its hash in hex with a NUL. False: there is no such
 * cookie, or it holds no token. Pure. */
bool session_read_cookie(struct http_view cookies, const char *name, struct http_view *ret_token);
bool session_hash(struct http_view token, char ret_hash[SESSION_HASH_LENGTH + 1]);

/* POST /internal/sessions/check {"id":HASH}, for the others: 200 if we know it, and whether we own
 * the sessions; 404 if we own them and there is none; 409 if we neither know it nor own them. */
void session_answer_check(struct database *database, const struct http_request *request,
                          struct http_reply *reply);

#endif
