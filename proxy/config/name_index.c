#include "proxy/config/name_index.h"

#include <stdlib.h>

#include "proxy/core/array.h"

enum { FIRST_CAPACITY = 16 };

/* FNV-1a, 64 bits; whoever chooses the names may as well stop the proxy. */
static uint64_t hash_of(struct strview name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 0x100000001b3u;
    return hash;
}

void name_index_done(struct name_index *index)
{
    free(index->entries);
    *index = (struct name_index){.entries = NULL};
}

/* The entry of the name, or the free one where it belongs. */
static struct name_entry *entry_of(const struct name_index *index, struct strview name)
{
    size_t at = hash_of(name) & (index->capacity - 1);
    while (index->entries[at].name.data != NULL && !strview_equal(index->entries[at].name, name))
        at = (at + 1) & (index->capacity - 1);
    return &index->entries[at];
}

static void grow(struct name_index *index)
{
    struct name_index grown = {
        .count = index->count,
        .capacity = index->capacity ? index->capacity * 2 : FIRST_CAPACITY,
    };
    grown.entries = memory_zalloc(grown.capacity * sizeof(*grown.entries));
    for (size_t i = 0; i < index->capacity; i++) {
        if (index->entries[i].name.data != NULL)
            *entry_of(&grown, index->entries[i].name) = index->entries[i];
    }
    free(index->entries);
    *index = grown;
}

bool name_index_add(struct name_index *index, struct strview name, uint32_t value)
{
    if (index->count * 2 >= index->capacity)
        grow(index);
    struct name_entry *entry = entry_of(index, name);
    if (entry->name.data != NULL)
        return false;
    *entry = (struct name_entry){name, value};
    index->count++;
    return true;
}

int64_t name_index_find(const struct name_index *index, struct strview name)
{
    if (index->capacity == 0)
        return NAME_INDEX_NONE;
    const struct name_entry *entry = entry_of(index, name);
    return entry->name.data != NULL ? (int64_t)entry->value : NAME_INDEX_NONE;
}
