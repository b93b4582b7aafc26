#include "proxy/exchange/snapshot_lease.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

struct snapshot_lease *snapshot_lease_new_take(struct snapshot *snapshot)
{
    struct snapshot_lease *lease = memory_zalloc(sizeof(*lease));
    lease->snapshot = snapshot;
    lease->current = true;
    return lease;
}

static void free_if_unused(struct snapshot_lease *lease)
{
    if (lease->current || lease->exchanges > 0)
        return;
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
