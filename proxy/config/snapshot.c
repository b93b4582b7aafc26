#include "proxy/config/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1)
        return;
    for (uint32_t i = 0; i < snapshot->listener_count; i++)
        tls_context_unref(snapshot->listeners[i].tls);
    if (snapshot->routes != NULL)
        route_table_unref(snapshot->routes);
    if (snapshot->modules != NULL)
        module_table_unref(snapshot->modules);
    arena_done(&snapshot->arena);
    free(snapshot);
}
