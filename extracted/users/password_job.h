/*
 * A password's hash, computed on a thread of the job pool while the reply waits. A reply has one
 * such job at most. The loop's thread.
 */
#ifndef USERS_PASSWORD_JOB_H
#define USERS_PASSWORD_JOB_H

#include "extracted/users/password.h"

enum { PASSWORD_LONGEST = 200 }; /* bytes */

struct password_work {
    bool is_new;               /* make a hash; else: does the password fit this one? */
    struct password_hash hash; /* given, or made */
    int64_t account;           /* the asker's own */
    bool is_good;              /* it was made, or it fits */
};

/* Starts the work, and at the call after it is done says what became of it. The password is at most
 * PASSWORD_LONGEST bytes long. False: the reply waits, or says that we are busy; return at once. */
bool password_job_run(const struct http_request *request, struct http_reply *reply,
                      struct http_view password, struct password_work *work);

#endif
