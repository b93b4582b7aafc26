#include "proxy/config/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/array.h"

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

struct snapshot *snapshot_with_modules_take(struct snapshot *base, struct module_table *modules,
                                            uint64_t generation)
{
    struct snapshot *snapshot = memory_zalloc(sizeof(*snapshot));
    memcpy(snapshot, base, sizeof(*snapshot));
    snapshot->base = snapshot_ref(base->base != NULL ? base->base : base);
    arena_init(&snapshot->arena, NULL);
    atomic_store_explicit(&snapshot->references, 1, memory_order_relaxed);
    snapshot->generation = generation;
    snapshot->modules = modules;
    snapshot->rules.modules = modules;
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1)
        return;
    struct snapshot *base = snapshot->base;
    if (base != NULL) {
        module_table_unref(snapshot->modules);
        free(snapshot);
        snapshot_unref(base);
        return;
    }
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        struct backend *backend = &snapshot->backends[i];
        endpoint_set_free(atomic_load_explicit(&backend->endpoints, memory_order_relaxed));
        tls_client_unref(backend->tls);
    }
    for (uint32_t i = 0; i < snapshot->listener_count; i++)
        tls_context_unref(snapshot->listeners[i].tls);
    if (snapshot->routes != NULL)
        route_table_unref(snapshot->routes);
    if (snapshot->modules != NULL)
        module_table_unref(snapshot->modules);
    arena_done(&snapshot->arena);
    free(snapshot);
}
