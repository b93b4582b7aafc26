#include "proxy/exchange/snapshot_lease.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

struct snapshot_lease *snapshot_lease_new_take(struct snapshot *snapshot, struct list *leases)
{
    uint32_t modules = snapshot->modules != NULL ? snapshot->modules->count : 0;
    struct snapshot_lease *lease = memory_zalloc(sizeof(*lease) + modules * sizeof(uint32_t));
    lease->snapshot = snapshot;
    lease->current = true;
    list_append(leases, &lease->node);
    return lease;
}

uint32_t snapshot_leases_count_writes(const struct list *leases, struct strview module)
{
    uint32_t sum = 0;
    for (const struct list *at = leases->next; at != leases; at = at->next) {
        const struct snapshot_lease *lease = LIST_ENTRY(at, struct snapshot_lease, node);
        const struct module_table *table = lease->snapshot->modules;
        const struct module *found = module_table_find(table, module);
        if (found != NULL)
            sum += lease->writes[found - table->modules];
    }
    return sum;
}

static void free_if_unused(struct snapshot_lease *lease)
{
    if (lease->current || lease->exchanges > 0)
        return;
    list_remove(&lease->node);
    snapshot_unref(lease->snapshot);
    free(lease);
}

void snapshot_lease_retire(struct snapshot_lease *lease)
{
    lease->current = false;
    free_if_unused(lease);
}

void snapshot_lease_drop(struct snapshot_lease *lease)
{
    CHECK(lease->exchanges > 0);
    lease->exchanges--;
    free_if_unused(lease);
}
