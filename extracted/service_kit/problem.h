/*
 * Faults as application/problem+json (RFC 9457). The loop's thread.
 */
#ifndef SERVICE_KIT_PROBLEM_H
#define SERVICE_KIT_PROBLEM_H

#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/outcome.h"

struct problem {
    unsigned status;
    const char *title;
    const char *detail; /* NULL: none */
    const char *field;  /* the member of the request that is meant; NULL: none */
};

/* Makes the reply complete; a body written before is replaced. */
void problem_reply(struct http_reply *reply, const struct problem *problem);

/* 409: somebody else takes the writes. */
void problem_reply_not_owner(struct http_reply *reply, const char *aggregate,
                             const struct ownership *ownership);

/* What became of a request whose outcome is not done. */
void problem_reply_outcome(struct http_reply *reply, const struct outcome *outcome);

#endif
