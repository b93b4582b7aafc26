/*
 * A thread with a loop and everything that requests need, shared with nobody: listeners, client
 * connections, pools, arenas, a metrics shard. Control makes it, sends it snapshots, and ends it.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "proxy/client/listener.h"
#include "proxy/worker/mailbox.h"

struct worker;

struct worker_options {
    struct metrics_shard *metrics;       /* borrowed */
    struct access_log_ring *log;         /* borrowed, or NULL */
    _Atomic uint32_t *total_connections; /* borrowed, of all workers */
    struct address_counts *counts;       /* borrowed, of all workers */
    struct address_pauses *pauses;       /* borrowed, of all workers */
    struct shadow_budget *shadow_budget; /* borrowed, of all workers */
    struct judge *judge;                 /* borrowed; it ends before the worker */
    uint32_t descriptor_limit;           /* client connections that there are descriptors for */
    struct loop *control;                /* woken when a draining worker has become idle */
};

/* Makes the worker and starts its thread, which waits for a first snapshot. */
struct worker *worker_start(const struct worker_options *options);

/*
 * Makes `snapshot` the current one (the worker takes a reference of its own). `sockets` holds those
 * for each of the snapshot's listeners that is new, and none for those that the worker has; it
 * takes them. Waits until new requests obey it.
 */
void worker_publish(struct worker *worker, struct snapshot *snapshot,
                    struct listener_sockets *sockets);

/* Adds duplicates of all listening sockets; false when there are not enough descriptors. Waits for
 * the worker. */
bool worker_copy_sockets(struct worker *worker, struct listener_sockets *sockets);

/* The snapshot's backends have other endpoints: closes what is idle to those that are gone. Waits
 * for the worker, which then looks at nothing that was before. */
void worker_leave_endpoints(struct worker *worker, struct snapshot *snapshot);

/* Adds to the sums what the worker has open towards backends. Waits for the worker. */
void worker_count_backends(struct worker *worker, struct backend_census *census);

/* Writes of a module that are under way, whatever snapshot they began under. Waits for the worker.
 */
uint32_t worker_count_writes(struct worker *worker, struct strview module);

/* Stops accepting and lets connections finish. */
void worker_drain(struct worker *worker);

/* A drained worker without connections. Any thread. */
bool worker_is_idle(const struct worker *worker);

/* Closes everything, ends the thread and frees the worker. */
void worker_stop(struct worker *worker);

#endif
