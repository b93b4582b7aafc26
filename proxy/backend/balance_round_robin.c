/*
 * In order, each worker by its own count; endpoints in trouble are passed over, and one where
 * requests pile up. With weights, the one that is owed most goes next, so that a heavy endpoint
 * does not get its share in one burst.
 */
#include "proxy/backend/balance.h"

enum { PILE = 4 }; /* requests under way: fewer say nothing */

/* More than twice as much under way as the others have: it hangs, or is much slower, and would end
 * up with everything that the clients may ask at once. */
static bool is_piled_up(const struct balance_view *view, const struct endpoint_slot *slot)
{
    const struct endpoint_set *set = view->set;
    uint64_t in_flight = backend_pools_get(view->pools, slot->state)->in_flight;
    uint64_t all = 0;
    if (in_flight < PILE)
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        all += backend_pools_get(view->pools, set->slots[i].state)->in_flight;
    return in_flight * (set->weight_sum - slot->weight) > 2 * (all - in_flight) * slot->weight;
}

static bool may_be_next(const struct balance_view *view, const struct endpoint_slot *slot)
{
    return balance_cost(view, slot) < COST_DOWN && !is_piled_up(view, slot);
}

static const struct endpoint_slot *next_in_order(const struct balance_view *view)
{
    const struct endpoint_set *set = view->set;
    struct backend_pool *counter = backend_pools_get(view->pools, set->slots[0].state);
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t index = (counter->turn + i) % set->count;
        if (may_be_next(view, &set->slots[index])) {
            counter->turn = index + 1;
            return &set->slots[index];
        }
    }
    return NULL;
}

static const struct endpoint_slot *most_owed(const struct balance_view *view)
{
    const struct endpoint_slot *best = NULL;
    struct backend_pool *best_pool = NULL;
    int32_t sum = 0;
    for (uint32_t i = 0; i < view->set->count; i++) {
        const struct endpoint_slot *slot = &view->set->slots[i];
        if (!may_be_next(view, slot))
            continue;
        struct backend_pool *pool = backend_pools_get(view->pools, slot->state);
        pool->owed += (int32_t)slot->weight;
        sum += (int32_t)slot->weight;
        if (best == NULL || pool->owed > best_pool->owed) {
            best = slot;
            best_pool = pool;
        }
    }
    if (best != NULL)
        best_pool->owed -= sum;
    return best;
}

const struct endpoint_slot *balance_round_robin(const struct balance_view *view)
{
    const struct endpoint_slot *slot = view->set->weighted ? most_owed(view) : next_in_order(view);
    return slot != NULL ? slot : balance_least_in_flight(view);
}
