/*
 * What shadows may hold in memory: a budget of all shadows of the process (any thread), and the
 * part of it that one of them holds (one thread at a time).
 */
#ifndef SHADOW_BUDGET_H
#define SHADOW_BUDGET_H

#include <stdatomic.h>

#include "proxy/core/arena.h"

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

/* What a shadow costs beyond its arena and its bodies: itself, and the buffers of its streams. */
enum { SHADOW_OWN_BYTES = 16 * 1024 };

/* The small things of one shadow: itself, heads, and what its streams need. */
struct shadow_memory {
    struct arena arena;
    struct shadow_budget *budget;
    size_t charged;
};

/* `pool` is the thread's, see shadow_memory_leave_thread. */
static inline void shadow_memory_init(struct shadow_memory *memory, struct shadow_budget *budget,
                                      struct arena_pool *pool)
{
    arena_init(&memory->arena, pool);
    memory->budget = budget;
    memory->charged = 0;
}

/* Another thread has it from now on: its chunks go to the system. */
static inline void shadow_memory_leave_thread(struct shadow_memory *memory)
{
    memory->arena.pool = NULL;
}

/*
 * Pays for what the arena has grown to, a head at a time; so the budget is exceeded by as much at
 * most. By the chunk, so that most pay once. False when there is no room for it.
 */
static inline bool shadow_memory_charge(struct shadow_memory *memory)
{
    size_t held = SHADOW_OWN_BYTES + memory->arena.bytes;
    if (held <= memory->charged)
        return true;
    held = (held + ARENA_CHUNK_BYTES - 1) / ARENA_CHUNK_BYTES * ARENA_CHUNK_BYTES;
    if (!shadow_budget_take(memory->budget, held - memory->charged))
        return false;
    memory->charged = held;
    return true;
}

static inline void shadow_memory_done(struct shadow_memory *memory)
{
    shadow_budget_give_back(memory->budget, memory->charged);
    memory->charged = 0;
    arena_done(&memory->arena);
}

#endif
