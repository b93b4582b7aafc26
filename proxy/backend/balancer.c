#include "proxy/backend/balance.h"

/* Loads are multiples of this, so that a weight divides them without losing much. */
#define LOAD_SCALE (UINT64_C(1) << 20)

uint64_t balance_cost(const struct balance_view *view, const struct endpoint_slot *slot)
{
    struct endpoint_state *state = slot->state;
    uint64_t cost = (backend_pools_get(view->pools, state)->in_flight + UINT64_C(1)) * LOAD_SCALE;
    if (view->set->weighted) {
        if (slot->weight == 0)
            return COST_CLOSED;
        cost /= slot->weight;
    }
    if (state == view->facts->tried)
        cost |= COST_TRIED;
    if (atomic_load_explicit(&state->down_until_ms, memory_order_relaxed) > view->facts->now_ms)
        cost |= COST_DOWN;
    return cost;
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
uint64_t balance_mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* FNV-1a, whose weak upper bits the mix mends. */
uint64_t balance_key(struct strview identity)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < identity.length; i++)
        hash = (hash ^ (unsigned char)identity.data[i]) * UINT64_C(0x100000001b3);
    return balance_mix(hash);
}

static const struct endpoint_slot *(*const policies[BALANCE_COUNT])(const struct balance_view *) = {
    [BALANCE_TWO_CHOICES] = balance_two_choices,
    [BALANCE_ROUND_ROBIN] = balance_round_robin,
    [BALANCE_LEAST_IN_FLIGHT] = balance_least_in_flight,
    [BALANCE_HASH] = balance_hash,
};

struct endpoint_state *balancer_pick(const struct backend *backend, struct backend_pools *pools,
                                     const struct balance_facts *facts)
{
    const struct balance_view view = {backend_endpoints(backend), pools, facts};
    const struct endpoint_slot *slot = NULL;
    if (view.set->count > 1)
        slot = policies[backend->balance](&view);
    else if (view.set->count == 1 && view.set->slots[0].weight > 0)
        slot = &view.set->slots[0];
    return slot != NULL ? slot->state : NULL;
}
