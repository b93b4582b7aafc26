/*
 * What the policies share: how loaded an endpoint is, and whether it is in trouble. Internal to
 * backend/; one thread.
 */
#ifndef BACKEND_BALANCE_H
#define BACKEND_BALANCE_H

#include "proxy/backend/balancer.h"
#include "proxy/backend/endpoint_health.h"

/* What is asked: one backend's endpoints as one worker sees them now. */
struct balance_view {
    const struct endpoint_set *set; /* at least two */
    struct backend_pools *pools;
    const struct balance_facts *facts;
};

/*
 * A cost is the load of an endpoint, with the trouble that it is in on top: one that is in none is
 * always cheaper than one that is silent, that than one that is down, and that than one that was
 * tried already. What takes no requests costs COST_CLOSED.
 */
#define COST_SILENT (UINT64_C(1) << 59)
#define COST_DOWN (UINT64_C(1) << 60)
#define COST_TRIED (UINT64_C(1) << 61)
#define COST_CLOSED UINT64_MAX

uint64_t balance_cost(const struct balance_view *view, const struct endpoint_slot *slot);

/*
 * More than twice as much under way as the others have that take requests, and `pile` at least: it
 * hangs, or is much slower, and would end up with everything that the clients may ask at once.
 * `load` begins as 0 and holds for one pick; it is summed up when the first endpoint has `pile`.
 */
struct balance_load {
    bool known;
    uint64_t in_flight; /* of all that are in no trouble */
    uint64_t weight;
};

bool balance_is_piled_up(const struct balance_view *view, const struct endpoint_slot *slot,
                         uint32_t pile, struct balance_load *load);

/* 64 bits in, 64 bits out, each of which depends on all. */
uint64_t balance_mix(uint64_t bits);

/* --- the policies: NULL when all endpoints are closed ---------------------------------------- */

const struct endpoint_slot *balance_two_choices(const struct balance_view *view);
const struct endpoint_slot *balance_round_robin(const struct balance_view *view);
const struct endpoint_slot *balance_least_in_flight(const struct balance_view *view);
const struct endpoint_slot *balance_hash(const struct balance_view *view);

#endif
