/*
 * Which endpoint of a backend takes the next request. A policy is a file balance_x.c and a row in
 * balancer.c; it sees this worker's pools only, so nothing is shared. One thread.
 */
#ifndef BACKEND_BALANCER_H
#define BACKEND_BALANCER_H

#include "proxy/backend/backend_pool.h"

struct balance_facts {
    uint64_t random;
    uint64_t key; /* for BALANCE_HASH: who asks, see balance_key */
    uint64_t now_ms;
    bool may_fail; /* the request would be tried again: it may go where others do not */
    const struct endpoint_state *tried; /* not to be picked again if there is another; or NULL */
};

/*
 * NULL when no endpoint takes requests: none is known, or all are closed or have weight 0.
 * Endpoints in trouble are passed over, but when all are, one of them is tried all the same.
 */
struct endpoint_state *balancer_pick(const struct backend *backend, struct backend_pools *pools,
                                     const struct balance_facts *facts);

/* An identity, or the bytes of an address, as a key. */
uint64_t balance_key(struct strview identity);

#endif
