/*
 * Two different random endpoints, the one with less in flight (Mitzenmacher, "The power of two
 * choices", 2001). With weights, both the chance to be looked at and the load obey them.
 */
#include "proxy/backend/balance.h"

/* The slot that covers `point` of the sum of all weights. */
static uint32_t slot_at(const struct endpoint_set *set, uint32_t point)
{
    uint32_t low = 0;
    uint32_t high = set->count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->slots[middle].weight_sum > point)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void draw(const struct endpoint_set *set, uint64_t random, uint32_t *ret_first,
                 uint32_t *ret_second)
{
    uint32_t count = set->count;
    *ret_first = (uint32_t)(random % count);
    *ret_second = (uint32_t)((*ret_first + 1 + (random >> 32) % (count - 1)) % count);
}

/* The second is drawn from what the first leaves of the sum. */
static void draw_weighted(const struct endpoint_set *set, uint64_t random, uint32_t *ret_first,
                          uint32_t *ret_second)
{
    uint32_t first = slot_at(set, (uint32_t)(random % set->weight_sum));
    const struct endpoint_slot *slot = &set->slots[first];
    uint32_t rest = set->weight_sum - slot->weight;
    *ret_first = *ret_second = first;
    if (rest == 0)
        return;
    uint32_t point = (uint32_t)((random >> 32) % rest);
    if (point >= slot->weight_sum - slot->weight)
        point += slot->weight;
    *ret_second = slot_at(set, point);
}

const struct endpoint_slot *balance_two_choices(const struct balance_view *view)
{
    const struct endpoint_set *set = view->set;
    uint32_t first;
    uint32_t second;
    if (set->weight_sum == 0)
        return NULL;
    if (set->weighted)
        draw_weighted(set, view->facts->random, &first, &second);
    else
        draw(set, view->facts->random, &first, &second);
    uint64_t first_cost = balance_cost(view, &set->slots[first]);
    uint64_t second_cost = balance_cost(view, &set->slots[second]);
    if (first_cost >= COST_SILENT && second_cost >= COST_SILENT)
        return balance_least_in_flight(view); /* both in trouble: the best of all */
    return &set->slots[first_cost <= second_cost ? first : second];
}
