/*
 * A radix tree over lower-case texts, for lookups that ignore ASCII case. A key can stand for the
 * whole text (exact) or for its first parts up to a separator (prefix). Built once from sorted
 * keys, then immutable; lives in the arena it was built in. The cost of a lookup grows with the
 * length of the text, not with the number of keys. Any thread.
 */
#ifndef ROUTING_RADIX_H
#define ROUTING_RADIX_H

#include "proxy/core/arena.h"
#include "proxy/core/strview.h"

#define RADIX_NONE UINT32_MAX

struct radix_key {
    struct strview text; /* lower case, not empty; kept by the tree */
    bool exact;
    bool prefix;
};

struct radix_node;

struct radix {
    const struct radix_node *root;
    const uint32_t *shorter; /* a key's next shorter prefix key, or RADIX_NONE */
    char separator;
};

/* Key numbers, or RADIX_NONE. */
struct radix_hit {
    uint32_t exact;
    uint32_t prefix; /* the longest; radix_shorter gives the others */
};

/* `keys` have to be unique and in strview_compare order; a key's number is its place there. */
void radix_build(struct radix *radix, struct arena *arena, const struct radix_key *keys,
                 uint32_t count, char separator);

/* A prefix key fits when it ends with the separator, or the text ends or has one after it. */
struct radix_hit radix_find(const struct radix *radix, struct strview text);

/* The longest prefix key that fits wherever prefix key `key` fits, and is shorter. */
static inline uint32_t radix_shorter(const struct radix *radix, uint32_t key)
{
    return radix->shorter[key];
}

#endif
