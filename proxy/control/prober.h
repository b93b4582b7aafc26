/*
 * A thread that looks after the endpoints of the configuration in force, so that nothing that
 * control does (and may wait for) delays a probe. Control starts it, tells it what there is, and
 * ends it.
 */
#ifndef CONTROL_PROBER_H
#define CONTROL_PROBER_H

#include "proxy/config/snapshot.h"

struct prober;

struct prober *prober_start(uint64_t seed);

/* The snapshot in force, or its endpoints, have changed. Takes a reference of its own. Waits for
 * the thread. NULL is allowed. */
void prober_update(struct prober *prober, struct snapshot *snapshot);

/* Before the registry of the endpoints goes. NULL is allowed. */
void prober_stop(struct prober *prober);

#endif
