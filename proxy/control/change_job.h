/*
 * One order from its arrival to its answer, which may come later. Owner: control, in its list of
 * jobs; ended by whoever carries it out. Control thread.
 */
#ifndef CONTROL_CHANGE_JOB_H
#define CONTROL_CHANGE_JOB_H

#include "proxy/control/change.h"
#include "proxy/control/live_state.h"
#include "proxy/net/loop.h"

struct change_job {
    struct list node;    /* of all jobs */
    struct list waiting; /* of the reloads, or of the freezes, that are waited for */
    struct control *control;
    struct change change; /* its module is `module`; who and why are in the note */
    char module[LIVE_NAME_BYTES];
    struct live_note note;
    struct change_result result;
    uint32_t flips;          /* changes of write owner that it waits for */
    uint64_t undo_of;        /* the entry that it takes back */
    struct deadline poll;    /* of a freeze: is a write still in flight? */
    uint64_t gives_up_at_ms; /* of a freeze */
    void (*on_done)(void *owner, const struct change_result *result); /* NULL: nobody waits */
    void *owner;
};

/* The texts of the change fit, as change_is_sensible says. */
struct change_job *change_job_new(struct control *control, const struct change *change);

/* Answers and frees. */
void change_job_end(struct change_job *job);

/* Frees without an answer. */
void change_job_free(struct change_job *job);

/* The module of the order, as it is now; NULL with the result's refusal when there is none. */
struct live_module *change_job_module(struct change_job *job);

#endif
