#include "proxy/backend/balancer.h"

/* An endpoint that is down or was tried already costs this much more than one that is neither. */
enum { COST_TRIED = 1u << 30, COST_DOWN = 1u << 29 };

static uint32_t cost_of(struct endpoint_state *endpoint, struct backend_pools *pools,
                        const struct balance_facts *facts)
{
    uint32_t cost = backend_pools_get(pools, endpoint)->in_flight;
    if (endpoint == facts->tried)
        cost |= COST_TRIED;
    if (atomic_load_explicit(&endpoint->down_until_ms, memory_order_relaxed) > facts->now_ms)
        cost |= COST_DOWN;
    return cost;
}

/* The cheapest endpoint, looking from a random one on, so that equals share. */
static struct endpoint_state *pick_least(const struct backend *backend, struct backend_pools *pools,
                                         const struct balance_facts *facts)
{
    struct endpoint_state *best = NULL;
    uint32_t best_cost = UINT32_MAX;
    uint32_t first = (uint32_t)(facts->random % backend->endpoint_count);
    for (uint32_t i = 0; i < backend->endpoint_count; i++) {
        struct endpoint_state *endpoint = backend->endpoints[(first + i) % backend->endpoint_count];
        uint32_t cost = cost_of(endpoint, pools, facts);
        if (cost < best_cost) {
            best = endpoint;
            best_cost = cost;
        }
    }
    return best;
}

/*
 * Two different random endpoints, the one with less in flight (Mitzenmacher, "The power of two
 * choices", 2001). When both are in trouble, the best of all.
 */
static struct endpoint_state *pick_two_choices(const struct backend *backend,
                                               struct backend_pools *pools,
                                               const struct balance_facts *facts)
{
    uint32_t count = backend->endpoint_count;
    uint32_t first = (uint32_t)(facts->random % count);
    uint32_t second = (uint32_t)((first + 1 + (facts->random >> 32) % (count - 1)) % count);
    uint32_t first_cost = cost_of(backend->endpoints[first], pools, facts);
    uint32_t second_cost = cost_of(backend->endpoints[second], pools, facts);
    if (first_cost >= COST_DOWN && second_cost >= COST_DOWN)
        return pick_least(backend, pools, facts);
    return backend->endpoints[first_cost <= second_cost ? first : second];
}

/* In order, this worker's own count; endpoints in trouble are passed over. */
static struct endpoint_state *pick_round_robin(const struct backend *backend,
                                               struct backend_pools *pools,
                                               const struct balance_facts *facts)
{
    uint32_t turn = backend_pools_get(pools, backend->endpoints[0])->turn++;
    for (uint32_t i = 0; i < backend->endpoint_count; i++) {
        struct endpoint_state *endpoint = backend->endpoints[(turn + i) % backend->endpoint_count];
        if (cost_of(endpoint, pools, facts) < COST_DOWN)
            return endpoint;
    }
    return pick_least(backend, pools, facts);
}

struct endpoint_state *balancer_pick(const struct backend *backend, struct backend_pools *pools,
                                     const struct balance_facts *facts)
{
    if (backend->endpoint_count == 1)
        return backend->endpoints[0];
    switch (backend->balance) {
    case BALANCE_ROUND_ROBIN:
        return pick_round_robin(backend, pools, facts);
    case BALANCE_LEAST_IN_FLIGHT:
        return pick_least(backend, pools, facts);
    case BALANCE_TWO_CHOICES:
    case BALANCE_HASH:
    case BALANCE_COUNT:
        break;
    }
    return pick_two_choices(backend, pools, facts);
}
