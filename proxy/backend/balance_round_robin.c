/*
 * In order, each worker by its own count; endpoints in trouble are passed over, and one where
 * requests pile up. With weights, the one that is owed most goes next, so that a heavy endpoint
 * does not get its share in one burst.
 */
#include "proxy/backend/balance.h"

enum { PILE = 4 }; /* requests under way: fewer say nothing */

static bool may_be_next(const struct balance_view *view, const struct endpoint_slot *slot,
                        struct balance_load *load)
{
    return balance_cost(view, slot) < COST_SILENT && !balance_is_piled_up(view, slot, PILE, load);
}

static const struct endpoint_slot *next_in_order(const struct balance_view *view)
{
    const struct endpoint_set *set = view->set;
    struct backend_pool *counter = backend_pools_get(view->pools, set->slots[0].state);
    struct balance_load load = {0};
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t index = (counter->turn + i) % set->count;
        if (may_be_next(view, &set->slots[index], &load)) {
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
    struct balance_load load = {0};
    int32_t sum = 0;
    for (uint32_t i = 0; i < view->set->count; i++) {
        const struct endpoint_slot *slot = &view->set->slots[i];
        if (!may_be_next(view, slot, &load))
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
