/*
 * One worker's hold on a snapshot: a single shared reference, and a count of the exchanges that
 * began under it, so that a request touches no shared counter. The reference goes back when the
 * lease is no longer current and its last exchange has ended. One thread.
 */
#ifndef EXCHANGE_SNAPSHOT_LEASE_H
#define EXCHANGE_SNAPSHOT_LEASE_H

#include "proxy/config/snapshot.h"
#include "proxy/core/list.h"

struct snapshot_lease {
    struct list node; /* in the worker's leases */
    struct snapshot *snapshot;
    uint32_t exchanges;
    bool current;
    uint32_t writes[]; /* under way, by the index of their module */
};

/* Takes the caller's reference on the snapshot. Joins `leases`. */
struct snapshot_lease *snapshot_lease_new_take(struct snapshot *snapshot, struct list *leases);

/* Writes of a module under way under any of the leases. */
uint32_t snapshot_leases_count_writes(const struct list *leases, struct strview module);

/* The worker has a newer one. May free the lease. */
void snapshot_lease_retire(struct snapshot_lease *lease);

static inline struct snapshot_lease *snapshot_lease_hold(struct snapshot_lease *lease)
{
    lease->exchanges++;
    return lease;
}

/* May free the lease. */
void snapshot_lease_drop(struct snapshot_lease *lease);

#endif
