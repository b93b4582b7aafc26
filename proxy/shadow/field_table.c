/* Open addressing by the hash of the three names: two names with one 64-bit hash would share their
 * counts, which happens once in a thousand million years. */
#include "proxy/shadow/field_table.h"

#include <stdlib.h>
#include <xxhash.h>

#include "proxy/core/array.h"

enum { SLOTS = 65536 };

struct slot {
    uint64_t hash; /* 0: free */
    struct noise_counts counts;
};

struct field_table {
    struct slot *slots;
    uint32_t used;
};

struct field_table *field_table_new(void)
{
    struct field_table *table = memory_zalloc(sizeof(*table));
    table->slots = memory_zalloc(SLOTS * sizeof(*table->slots));
    return table;
}

void field_table_free(struct field_table *table)
{
    free(table->slots);
    free(table);
}

static uint64_t hash_names(struct strview module, struct strview path_template,
                           struct strview field)
{
    const uint64_t parts[] = {XXH3_64bits(module.data, module.length),
                              XXH3_64bits(path_template.data, path_template.length),
                              XXH3_64bits(field.data, field.length)};
    uint64_t hash = XXH3_64bits(parts, sizeof(parts));
    return hash != 0 ? hash : 1;
}

/* Where it is, or would be. */
static struct slot *find(const struct field_table *table, uint64_t hash)
{
    size_t place = hash % SLOTS;
    while (table->slots[place].hash != 0 && table->slots[place].hash != hash)
        place = (place + 1) % SLOTS;
    return &table->slots[place];
}

bool field_table_has(const struct field_table *table, struct strview module,
                     struct strview path_template, struct strview field)
{
    return find(table, hash_names(module, path_template, field))->hash != 0;
}

struct noise_counts *field_table_get(struct field_table *table, struct strview module,
                                     struct strview path_template, struct strview field)
{
    uint64_t hash = hash_names(module, path_template, field);
    struct slot *slot = find(table, hash);
    if (slot->hash == hash)
        return &slot->counts;
    if (table->used == FIELD_TABLE_MAX)
        return NULL;
    table->used++;
    slot->hash = hash;
    return &slot->counts;
}
