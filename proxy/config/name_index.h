/*
 * Names to numbers: which backend, module, … is called so. Borrows the names. One thread.
 */
#ifndef CONFIG_NAME_INDEX_H
#define CONFIG_NAME_INDEX_H

#include "proxy/core/strview.h"

struct name_entry {
    struct strview name; /* no data: free */
    uint32_t value;
};

/* All zero is the empty index. */
struct name_index {
    struct name_entry *entries;
    size_t count;
    size_t capacity; /* power of two, or 0 */
};

enum { NAME_INDEX_NONE = -1 };

void name_index_done(struct name_index *index);

/* False when the name is there already; nothing changes then. */
bool name_index_add(struct name_index *index, struct strview name, uint32_t value);

/* The number of a name, or NAME_INDEX_NONE. */
int64_t name_index_find(const struct name_index *index, struct strview name);

#endif
