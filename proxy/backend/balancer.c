#include "proxy/backend/balance.h"

/* Loads are multiples of this, so that a weight divides them without losing much. */
#define LOAD_SCALE (UINT64_C(1) << 20)

uint64_t balance_cost(const struct balance_view *view, const struct endpoint_slot *slot)
{
    const struct balance_facts *facts = view->facts;
    struct endpoint_state *state = slot->state;
    if (slot->weight == 0 || endpoint_is_closed(state))
        return COST_CLOSED;
    const struct backend_pool *pool = backend_pools_get(view->pools, state);
    uint64_t cost = (pool->in_flight + UINT64_C(1)) * LOAD_SCALE;
    if (view->set->weighted)
        cost /= slot->weight;
    if (silence_is_suspect(&pool->silence, pool->in_flight, facts->may_fail, facts->now_ms))
        cost |= COST_SILENT;
    if (state == facts->tried)
        cost |= COST_TRIED;
    if (endpoint_is_in_trouble(state, facts->may_fail, facts->now_ms))
        cost |= COST_DOWN;
    return cost;
}

static void sum_up(const struct balance_view *view, struct balance_load *load)
{
    *load = (struct balance_load){.known = true};
    for (uint32_t i = 0; i < view->set->count; i++) {
        const struct endpoint_slot *slot = &view->set->slots[i];
        if (balance_cost(view, slot) >= COST_SILENT)
            continue;
        load->in_flight += backend_pools_get(view->pools, slot->state)->in_flight;
        load->weight += slot->weight;
    }
}

bool balance_is_piled_up(const struct balance_view *view, const struct endpoint_slot *slot,
                         uint32_t pile, struct balance_load *load)
{
    uint64_t in_flight = backend_pools_get(view->pools, slot->state)->in_flight;
    if (in_flight < pile)
        return false;
    if (!load->known)
        sum_up(view, load);
    if (load->in_flight < in_flight || load->weight < slot->weight)
        return false; /* another thread has closed it just now */
    return in_flight * (load->weight - slot->weight) >
           2 * (load->in_flight - in_flight) * slot->weight;
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

static struct endpoint_state *only_endpoint(const struct endpoint_set *set)
{
    const struct endpoint_slot *slot = set->slots;
    bool open = set->count == 1 && slot->weight > 0 && !endpoint_is_closed(slot->state);
    return open ? slot->state : NULL;
}

struct endpoint_state *balancer_pick(const struct backend *backend, struct backend_pools *pools,
                                     const struct balance_facts *facts)
{
    const struct balance_view view = {backend_endpoints(backend), pools, facts};
    if (view.set->count <= 1)
        return only_endpoint(view.set);
    const struct endpoint_slot *slot = policies[backend->balance](&view);
    if (slot == NULL)
        return NULL;
    endpoint_picked(slot->state, facts->now_ms);
    return slot->state;
}
