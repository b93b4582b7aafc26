/* Control from inside: shared by the files of this folder that make it up. */
#ifndef CONTROL_CONTROL_INTERNAL_H
#define CONTROL_CONTROL_INTERNAL_H

#include "proxy/config/settings.h"
#include "proxy/control/admin_access.h"
#include "proxy/control/admin_server.h"
#include "proxy/control/flip.h"
#include "proxy/control/publish.h"

enum { SIGNALS = 6 };

struct control {
    struct loop loop;
    const char *path;
    struct endpoint_registry *endpoints;
    struct metrics_registry *metrics;
    struct metrics_shard **shards; /* one a worker */
    struct worker **workers;
    uint32_t worker_count;
    _Atomic uint32_t total_connections;
    struct access_log *access_log; /* NULL: off since the start */
    struct publisher publisher;
    struct journal *journal; /* NULL until it is needed */
    char *state_dir;         /* of the start; a change waits for a restart */
    struct flip flip;
    bool reload_again;          /* a reload was asked for while write owners were being changed */
    struct admin_server *admin; /* NULL: without */
    struct admin_access admin_access;
    ev_signal signals[SIGNALS];
    struct deadline drain; /* the longest that a graceful end may take */
    uint64_t next_generation;
    bool last_reload_successful;
    bool draining;
};

/* --- reload.c ------------------------------------------------------------------------------ */

/* Reads and compiles the files; NULL, with everything said on standard error, when they are not
 * good. */
struct snapshot *control_load(struct control *control);

/* Sets up changes of write owner; before anything is published. */
void control_init_flip(struct control *control);

/* Loads and publishes; a bad configuration changes nothing. A change of write owner goes on after
 * this returns. */
void control_reload(struct control *control);

#endif
