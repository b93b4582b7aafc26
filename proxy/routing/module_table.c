#include "proxy/routing/module_table.h"

#include <stdlib.h>

#include "proxy/core/array.h"

struct module_table *module_table_new(uint32_t count)
{
    struct module_table *table = memory_zalloc(sizeof(*table));
    arena_init(&table->arena, NULL);
    table->modules = arena_zalloc(&table->arena, count * sizeof(*table->modules));
    table->count = count;
    table->references = 1;
    return table;
}

struct module_table *module_table_copy(const struct module_table *table)
{
    struct module_table *copy = module_table_new(table->count);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct module *from = &table->modules[i];
        copy->modules[i] = *from;
        copy->modules[i].name = arena_copy(&copy->arena, from->name);
        copy->modules[i].cohort = arena_copy(&copy->arena, from->cohort);
        copy->modules[i].on_flip = arena_copy(&copy->arena, from->on_flip);
        copy->modules[i].pin_cookie = arena_copy(&copy->arena, from->pin_cookie);
        copy->modules[i].pin_group_cookie = arena_copy(&copy->arena, from->pin_group_cookie);
    }
    return copy;
}

struct module_table *module_table_ref(struct module_table *table)
{
    __atomic_fetch_add(&table->references, 1, __ATOMIC_RELAXED);
    return table;
}

void module_table_unref(struct module_table *table)
{
    if (table == NULL || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_done(&table->arena);
    free(table);
}

const struct module *module_table_find(const struct module_table *table, struct strview name)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strview_equal(table->modules[i].name, name))
            return &table->modules[i];
    }
    return NULL;
}
