/* Control from inside: shared by the files of this folder that make it up. */
#ifndef CONTROL_CONTROL_INTERNAL_H
#define CONTROL_CONTROL_INTERNAL_H

#include "proxy/config/settings.h"
#include "proxy/control/admin_access.h"
#include "proxy/control/admin_server.h"
#include "proxy/control/flip.h"
#include "proxy/control/hand_over.h"
#include "proxy/control/live_clock.h"
#include "proxy/control/live_commit.h"
#include "proxy/control/mismatch_store.h"
#include "proxy/control/module_stats.h"
#include "proxy/control/publish.h"
#include "proxy/control/take_over.h"
#include "proxy/shadow/judge.h"

enum { SIGNALS = 6 };

struct control {
    struct loop loop;
    const char *path;
    struct endpoint_registry *endpoints;
    struct tls_tickets *tickets;
    struct metrics_registry *metrics;
    struct metrics_shard **shards; /* one a worker, and the last for the compare thread */
    struct shadow_registry *shadows;
    struct shadow_budget shadow_budget;
    struct mismatch_store *mismatches; /* NULL until something is copied */
    struct judge *judge;
    struct worker **workers;
    uint32_t worker_count;
    _Atomic uint32_t total_connections;
    struct address_counts *counts; /* of connections */
    struct address_pauses *pauses;
    struct access_log *access_log; /* NULL: off since the start */
    struct prober *prober;
    struct names *names;
    struct publisher publisher;
    struct live_state *live; /* what is in force of the modules, and why */
    struct journal *journal; /* NULL until it is needed */
    char *state_dir;         /* of the start; a change waits for a restart */
    struct flip flip;
    struct deadline clock;    /* see live_clock.h */
    struct list jobs;         /* orders that are not answered yet */
    struct list reloads;      /* those of them that wait for the reload that has begun */
    struct list next_reloads; /* and for the one after it */
    bool reloading;           /* the files are in force, but for their write owners */
    bool reload_again;        /* a reload was asked for while write owners were being changed */
    struct module_stats stats;
    struct admin_server *admin; /* NULL: without */
    struct admin_access admin_access;
    ev_signal signals[SIGNALS];
    struct take_over take_over; /* from the process before */
    struct hand_over hand_over; /* to the process after */
    struct deadline drain;      /* the longest that a graceful end may take */
    uint64_t next_generation;
    uint64_t previous_generation; /* of the process before; 0: none */
    bool last_reload_successful;
    bool draining;
};

/* Lets what was begun finish, and ends the loop then. */
void control_drain(struct control *control);

/* As the snapshot says; without an address there is none, and that is good. */
bool control_open_admin(struct control *control, const struct snapshot *snapshot,
                        struct fault *fault);

/* Where mismatches are kept, opened when it is needed for the first time. */
bool control_open_mismatches(struct control *control, struct fault *fault);

/* It is when the first snapshot that copies is about to be published; without it copies are
 * compared all the same. */
void control_prepare_shadows(struct control *control, const struct snapshot *snapshot);

/* --- reload.c ------------------------------------------------------------------------------ */

/* Reads and compiles the files; NULL, with everything said on standard error and the first of it in
 * *fault, when they are not good. */
struct snapshot *control_load(struct control *control, struct fault *fault);

/* Loads and publishes; a bad configuration changes nothing. A change of write owner goes on after
 * this returns. */
void control_reload(struct control *control);

/* The same for an order, which is answered when all of it is in force. */
void control_reload_for(struct change_job *job);

/* The last change of write owner is over; did those that the files want succeed? */
void control_flips_ended(struct control *control, bool files_successful);

/* Orders what the files want of write owners, and what a cut-off change has left open; `reloading`
 * then says that there is something of it. */
void control_order_flips(struct control *control);

/* --- first.c ------------------------------------------------------------------------------- */

/*
 * Takes the first snapshot: brings it, with the journal if there is one, to the state that was
 * left, and publishes that. Write owners that differ are changed after this returns.
 */
bool control_publish_first(struct control *control, struct snapshot *snapshot, struct fault *fault);

/* --- control_live.c ------------------------------------------------------------------------ */

/* Without any module and any order; before everything else here. */
void control_init_live(struct control *control);

/* In force; 0 before the first. */
uint64_t control_generation(const struct control *control);

/* Opens it when it is needed for the first time. */
bool control_open_journal(struct control *control, struct fault *fault);

/* Puts the live state in force: one generation, in all workers when it returns. Nothing happens
 * before the first publication. */
void control_publish_live(struct control *control);

/* The module's writes that are under way in all workers; those that wait are none of them. A
 * process before this one that still finishes its requests counts as one: nobody knows. */
uint32_t control_count_writes(struct control *control, struct strview module);

/* A line for each module that is not as the files say. */
void control_log_live(const struct control *control);

/* A line for each item of a change: what it is now, by whom and why. */
void control_log_change(const struct live_commit *commit);

#endif
