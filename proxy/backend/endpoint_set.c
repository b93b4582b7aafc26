#include "proxy/backend/endpoint_set.h"

#include <stdlib.h>

#include "proxy/core/array.h"

static bool has_equal_weights(const struct endpoint_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->slots[i].weight != set->slots[0].weight || set->slots[i].weight == 0)
            return false;
    }
    return true;
}

struct endpoint_set *endpoint_set_new(const struct endpoint_slot *slots, uint32_t count)
{
    struct endpoint_set *set = memory_zalloc(sizeof(*set) + count * sizeof(set->slots[0]));
    set->count = count;
    if (count > 0)
        memcpy(set->slots, slots, count * sizeof(*slots));
    set->weighted = !has_equal_weights(set);
    for (uint32_t i = 0; i < count; i++) {
        if (!set->weighted)
            set->slots[i].weight = 1;
        set->weight_sum += set->slots[i].weight;
        set->slots[i].weight_sum = set->weight_sum;
    }
    return set;
}

void endpoint_set_free(struct endpoint_set *set)
{
    free(set);
}

bool endpoint_set_contains(const struct endpoint_set *set, const struct endpoint_state *state)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->slots[i].state == state)
            return true;
    }
    return false;
}
