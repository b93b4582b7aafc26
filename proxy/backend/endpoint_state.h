/*
 * What the process has learned about one endpoint. It lives in the endpoint_registry for the life
 * of the process, so that a reload forgets nothing. Workers and control read and write it without a
 * lock, by endpoint_health.h; all times are the loops' monotonic clock, which is the same for all
 * threads.
 */
#ifndef BACKEND_ENDPOINT_STATE_H
#define BACKEND_ENDPOINT_STATE_H

#include <stdatomic.h>

#include "proxy/backend/breaker.h"
#include "proxy/core/strview.h"
#include "proxy/net/address.h"

/* Why an endpoint takes no requests at all: a set of these. */
enum endpoint_closed {
    ENDPOINT_DRAINING = 1u << 0,  /* an operator's wish */
    ENDPOINT_UNHEALTHY = 1u << 1, /* probes say so */
};

enum endpoint_probed { ENDPOINT_NOT_PROBED, ENDPOINT_PASSES, ENDPOINT_FAILS };

struct endpoint_state {
    uint32_t id; /* dense, from 0: the index of each worker's pool for it */
    struct strview backend_name;
    struct breaker *breaker; /* of the backend; NULL: without limits */
    struct strview address_text;
    struct strview host; /* the name that led to the address; empty: none */
    int protocol;        /* enum backend_protocol */
    struct address address;
    uint64_t hash; /* of the address alone, so that every process balances alike */

    /* Looked at for each request. */
    _Atomic uint32_t closed;           /* set of enum endpoint_closed */
    _Atomic uint32_t failures_in_row;  /* of requests; an answer sets it to 0 */
    _Atomic uint64_t down_until_ms;    /* refused a connection: before it, it is tried last */
    _Atomic uint64_t ejected_until_ms; /* 0: not ejected; when it has passed, it is on trial */

    _Atomic uint64_t trial_until_ms; /* somebody's request is trying it */
    _Atomic uint64_t good_since_ms;  /* when the last ejection was to end */
    _Atomic uint32_t severity;       /* of the last ejection: it took so many times the first */
    _Atomic uint32_t probed;         /* enum endpoint_probed; written by the prober alone */
    _Atomic bool unreachable;        /* the last connection could not be made */
    _Atomic(const char *) tls_fault; /* why the last handshake failed, a static text; or NULL */
    _Atomic uint64_t failures;       /* in all */
    _Atomic uint64_t ejections;      /* in all */
};

#endif
