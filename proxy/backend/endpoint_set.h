/*
 * The endpoints of a backend at one moment, with their weights. Immutable; made by control, read by
 * every worker. Whoever made it frees it, after nobody can pick from it any more.
 */
#ifndef BACKEND_ENDPOINT_SET_H
#define BACKEND_ENDPOINT_SET_H

#include "proxy/backend/endpoint_state.h"

struct endpoint_slot {
    struct endpoint_state *state; /* borrowed from the registry */
    uint32_t weight;              /* 0: takes no request */
    uint32_t weight_sum;          /* of this one and all before it; filled by endpoint_set_new */
};

struct endpoint_set {
    uint32_t count;      /* may be 0: a host name that is not resolved yet */
    uint32_t weight_sum; /* of all */
    bool weighted;       /* weights differ; else each is 1 */
    struct endpoint_slot slots[];
};

/* Copies the slots. Equal weights are set to 1. */
struct endpoint_set *endpoint_set_new(const struct endpoint_slot *slots, uint32_t count);
void endpoint_set_free(struct endpoint_set *set); /* NULL is allowed */

bool endpoint_set_contains(const struct endpoint_set *set, const struct endpoint_state *state);

#endif
