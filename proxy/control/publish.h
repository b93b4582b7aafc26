/*
 * The one way a snapshot comes into force: sockets for its new listeners, then every worker, and
 * only when all have acknowledged is it the current one. Control thread.
 */
#ifndef CONTROL_PUBLISH_H
#define CONTROL_PUBLISH_H

#include "proxy/control/inherited.h"
#include "proxy/control/names.h"
#include "proxy/control/prober.h"
#include "proxy/control/shadow_registry.h"
#include "proxy/core/fault.h"
#include "proxy/worker/worker.h"

struct publisher {
    struct worker **workers; /* borrowed */
    uint32_t worker_count;
    struct prober *prober;              /* borrowed; NULL: nobody looks after endpoints */
    struct names *names;                /* borrowed; NULL: host names lead nowhere */
    struct snapshot *current;           /* one reference; NULL before the first */
    struct inherited_sockets inherited; /* instead of opening: the first takes them all */
    bool handed_over;                   /* another process listens on the same sockets by now */
};

/* Gives counters to the routes and backends of a snapshot, and to its modules what is learned about
 * their shadows, before anybody else sees it. */
void snapshot_number(struct snapshot *snapshot, struct metrics_registry *metrics,
                     struct shadow_registry *shadows);

/* Its TLS listeners seal and open tickets as those of every generation do. */
void snapshot_share_tickets(struct snapshot *snapshot, struct tls_tickets *tickets);

/*
 * Takes the snapshot and makes it current. On failure (a listener's address cannot be bound)
 * nothing has changed, the snapshot is released and *fault says why.
 */
bool publisher_publish_take(struct publisher *publisher, struct snapshot *snapshot,
                            struct fault *fault);

void publisher_done(struct publisher *publisher);

#endif
