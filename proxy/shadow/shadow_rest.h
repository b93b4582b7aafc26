/*
 * A side whose answers are of no use is left alone for a moment: each costs a connection, made and
 * broken, and that is work that the worker's clients would wait for. One for each side of a module;
 * any thread.
 */
#ifndef SHADOW_SHADOW_REST_H
#define SHADOW_SHADOW_REST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SHADOW_FAILURES_TO_REST = 20, /* copies in a row without an answer, or with one too long */
    SHADOW_REST_MS = 1000,        /* then one more failure is enough for another rest */
};

struct shadow_rest {
    _Atomic uint32_t failures_in_row;
    _Atomic uint64_t until_ms; /* of the loops' clock; 0: has never rested */
    atomic_bool is_too_long;   /* why: the last answer was too long */
};

static inline bool shadow_rests(const struct shadow_rest *rest, uint64_t now_ms)
{
    return atomic_load_explicit(&rest->until_ms, memory_order_relaxed) > now_ms;
}

static inline void shadow_rest_useful(struct shadow_rest *rest)
{
    if (atomic_load_explicit(&rest->failures_in_row, memory_order_relaxed) != 0)
        atomic_store_explicit(&rest->failures_in_row, 0, memory_order_relaxed);
}

static inline void shadow_rest_useless(struct shadow_rest *rest, bool is_too_long, uint64_t now_ms)
{
    uint32_t before = atomic_fetch_add_explicit(&rest->failures_in_row, 1, memory_order_relaxed);
    if (before + 1 < SHADOW_FAILURES_TO_REST)
        return;
    atomic_store_explicit(&rest->is_too_long, is_too_long, memory_order_relaxed);
    atomic_store_explicit(&rest->until_ms, now_ms + SHADOW_REST_MS, memory_order_relaxed);
}

#endif
