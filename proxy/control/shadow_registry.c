#include "proxy/control/shadow_registry.h"

#include <stdlib.h>

#include "proxy/core/array.h"

struct shadow_registry {
    struct arena arena; /* the names */
    struct shadow_state **items;
    size_t count;
    size_t capacity;
};

struct shadow_registry *shadow_registry_new(void)
{
    struct shadow_registry *registry = memory_zalloc(sizeof(*registry));
    arena_init(&registry->arena, NULL);
    return registry;
}

void shadow_registry_free(struct shadow_registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->count; i++)
        free(registry->items[i]);
    free(registry->items);
    arena_done(&registry->arena);
    free(registry);
}

struct shadow_state *shadow_registry_get(struct shadow_registry *registry, struct strview module)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strview_equal(registry->items[i]->module, module))
            return registry->items[i];
    }
    struct shadow_state *state = memory_zalloc(sizeof(*state));
    state->module = arena_copy(&registry->arena, module);
    *ARRAY_PUSH(registry) = state;
    return state;
}

uint32_t shadow_registry_in_flight(const struct shadow_registry *registry)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < registry->count; i++)
        sum += atomic_load_explicit(&registry->items[i]->in_flight, memory_order_relaxed);
    return sum;
}
