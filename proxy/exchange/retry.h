/*
 * Whether a failed request is tried once more: one pure function and a budget. RFC 9110 section
 * 9.2.2 allows it for what is safe or surely was not processed; we do it only while nothing of the
 * request body was given away and nothing of an answer was seen.
 */
#ifndef EXCHANGE_RETRY_H
#define EXCHANGE_RETRY_H

#include "proxy/backend/backend_stream.h"

enum { RETRY_ATTEMPTS_MAX = 2, RETRY_BUDGET_PERCENT = 20 };

/* Retries are at most a fifth of the requests, plus a small stock for quiet times. One thread. */
struct retry_budget {
    int32_t credit; /* in hundredths of a retry */
};

void retry_budget_init(struct retry_budget *budget);

/* One more request. */
void retry_budget_add(struct retry_budget *budget);

struct retry_facts {
    enum backend_fault fault;
    bool unprocessed;    /* the endpoint surely did not act on it */
    bool reused;         /* a kept-alive connection that was closed without a byte of answer */
    bool is_read;        /* as its route says */
    bool body_given;     /* some byte of the body has left our hands */
    bool answer_started; /* the client has seen a head */
    uint32_t attempts;   /* so far, at least 1 */
    uint32_t endpoint_count;
};

/* True: try again; the budget has been charged. */
bool retry_decide(const struct retry_facts *facts, struct retry_budget *budget);

/* The status for a fault that the client gets to see (RFC 9110 section 15.6). */
int status_of_fault(enum backend_fault fault);

#endif
