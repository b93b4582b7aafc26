/* The endpoint with the least in flight for its weight, looking from a random one on, so that
 * equals share. */
#include "proxy/backend/balance.h"

const struct endpoint_slot *balance_least_in_flight(const struct balance_view *view)
{
    const struct endpoint_slot *best = NULL;
    uint64_t best_cost = COST_CLOSED;
    uint32_t count = view->set->count;
    uint32_t first = (uint32_t)(view->facts->random % count);
    for (uint32_t i = 0; i < count; i++) {
        const struct endpoint_slot *slot =
            &view->set->slots[first + i < count ? first + i : first + i - count];
        uint64_t cost = balance_cost(view, slot);
        if (cost < best_cost) {
            best = slot;
            best_cost = cost;
        }
    }
    return best;
}
