/*
 * Whether a failed request is tried once more, and where: one pure function and a budget. RFC 9110
 * section 9.2.2 allows it for what is safe or surely was not processed; we do it only while nothing
 * of the request body was given away and nothing of an answer was seen.
 */
#ifndef EXCHANGE_RETRY_H
#define EXCHANGE_RETRY_H

#include "proxy/backend/backend_stream.h"

enum { RETRIES_MAX = 1, RETRY_BUDGET_PERCENT = 20 };

/* Retries and fallbacks together are at most a fifth of the requests, plus a small stock for quiet
 * times. One thread. */
struct retry_budget {
    int32_t credit; /* in hundredths of a retry */
};

void retry_budget_init(struct retry_budget *budget);

/* One more request. */
void retry_budget_add(struct retry_budget *budget);

/* What is known when an attempt came to nothing. */
struct attempt_facts {
    enum backend_fault fault;
    bool unprocessed;    /* the endpoint surely did not act on it */
    bool reused;         /* a kept-alive connection that was closed without a byte of answer */
    bool is_read;        /* as the plan counts it */
    bool body_given;     /* some byte of the body has left our hands */
    bool answer_started; /* the client has seen a head */
    bool may_fall_back;  /* another side could answer, see plan_may_fall_back */
    bool still_running;  /* not over, only slow: nothing but a fallback can come of it */
    uint32_t retries;    /* so far, without the fallback */
    uint32_t endpoint_count;
};

enum next_attempt {
    NEXT_ATTEMPT_NONE,
    NEXT_ATTEMPT_RETRY,    /* the same side again */
    NEXT_ATTEMPT_FALLBACK, /* legacy in the place of extracted */
};

/*
 * The whole decision; what it grants has been charged to the budget. At most one retry and one
 * fallback a request: legacy, once it has been asked, has nobody to fall back to.
 */
enum next_attempt next_attempt_decide(const struct attempt_facts *facts,
                                      struct retry_budget *budget);

/* The status for a fault that the client gets to see (RFC 9110 section 15.6). */
int status_of_fault(enum backend_fault fault);

#endif
