/* What all shadows of the process may hold in memory together. Any thread. */
#ifndef SHADOW_BUDGET_H
#define SHADOW_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct shadow_budget {
    _Atomic size_t used;
    size_t limit;
};

/* False when that would be more than the limit; nothing is taken then. */
static inline bool shadow_budget_take(struct shadow_budget *budget, size_t bytes)
{
    size_t before = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed);
    if (before + bytes <= budget->limit)
        return true;
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    return false;
}

static inline void shadow_budget_give_back(struct shadow_budget *budget, size_t bytes)
{
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

#endif
