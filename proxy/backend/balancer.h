/*
 * Which endpoint of a backend takes the next request. A policy is one function and one case in
 * balancer.c; it sees this worker's pools only, so nothing is shared. One thread.
 */
#ifndef BACKEND_BALANCER_H
#define BACKEND_BALANCER_H

#include "proxy/backend/backend_pool.h"

struct balance_facts {
    uint64_t random;
    uint64_t now_ms;
    const struct endpoint_state *tried; /* not to be picked again if there is another; or NULL */
};

/* Never NULL: when all endpoints are in trouble, one of them is tried all the same. */
struct endpoint_state *balancer_pick(const struct backend *backend, struct backend_pools *pools,
                                     const struct balance_facts *facts);

#endif
