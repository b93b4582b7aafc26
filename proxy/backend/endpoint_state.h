/*
 * What the process has learned about one endpoint. It lives in the endpoint_registry for the life
 * of the process, so that a reload forgets nothing. Workers and control read and write it without a
 * lock; all times are the loops' monotonic clock, which is the same for all threads.
 */
#ifndef BACKEND_ENDPOINT_STATE_H
#define BACKEND_ENDPOINT_STATE_H

#include <stdatomic.h>

#include "proxy/core/strview.h"
#include "proxy/net/address.h"

struct endpoint_state {
    uint32_t id; /* dense, from 0: the index of each worker's pool for it */
    struct strview backend_name;
    struct strview address_text;
    int protocol; /* enum backend_protocol */
    struct address address;
    uint64_t hash; /* of the address alone, so that every process balances alike */
    _Atomic uint32_t consecutive_failures;
    _Atomic uint64_t down_until_ms; /* before it the endpoint is tried last */
};

#endif
