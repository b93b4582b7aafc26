/*
 * What people do with their accounts: each function is one transaction, worded by the faces.
 * The loop's thread. Those that compute a password are called again with the same form once it is
 * done: false says that the reply waits, or says that we are busy; return at once.
 */
#ifndef USERS_ACCOUNTS_H
#define USERS_ACCOUNTS_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/outcome.h"
#include "extracted/service_kit/token.h"

/* What somebody does, and the reply that may have to wait. */
struct account_call {
    struct database *database;
    const struct http_request *request;
    struct http_reply *reply;
};

/* Valid UTF-8. */
struct account_form {
    struct http_view username;
    struct http_view password;
    struct http_view name;
};

/* The outcome's id is the user's; *ret_sid is the new session, if it is done. */
typedef bool account_enter(const struct account_call *call, const struct account_form *form,
                           struct token *ret_sid, struct outcome *ret_outcome);
account_enter account_register;
account_enter account_log_in;

/* Ends the session of the request's cookie; user 0 is not logged in. */
struct outcome account_log_out(const struct account_call *call, int64_t user);

struct profile_form {
    int64_t id;
    const struct http_view *name; /* of these two, what is NULL stays as it is */
    const struct http_view *bio;
};

/* `user` is who asks. */
struct outcome profile_edit(const struct account_call *call, int64_t user,
                            const struct profile_form *form);

#endif
