/*
 * Changes of write owner, one after the other, each as one transaction: freeze the module's writes,
 * wait until no older one is in flight, run `on_flip`, record it, set the owner, unfreeze. A
 * failure leaves the old owner; where the program was cut off, it is run once more, the way back.
 * All it knows of modules is in control's live state, so that what else changes meanwhile stays
 * changed. Control thread; nothing here blocks it for long.
 */
#ifndef CONTROL_FLIP_H
#define CONTROL_FLIP_H

#include "proxy/control/change_job.h"
#include "proxy/control/journal.h"
#include "proxy/control/program.h"

struct flip_order {
    struct list node;
    char module[LIVE_NAME_BYTES];
    enum write_owner to;
    uint64_t limit_ms;      /* for all of it, the way back excepted */
    struct change_job *job; /* ends with its last order; NULL: the files want it */
};

struct flip {
    struct control *control;
    struct list orders; /* the first is the one under way */
    struct task next;
    bool begun;    /* the first order holds its module's writes */
    bool way_back; /* it has failed already */
    struct deadline poll;
    struct program program;
    struct journal_flip record;
    struct fault why; /* it failed, with this status for the answer */
    int status;
    uint64_t began_ms;
    uint64_t drained_ms;
    bool files_failed; /* an owner that the files want could not be set; for who reloads */
};

void flip_init(struct flip *flip, struct control *control);

/* Begins at the end of this turn of the loop, or when those before it are done. */
void flip_add(struct flip *flip, const struct live_module *module, enum write_owner to,
              struct change_job *job);

static inline bool flip_is_on(const struct flip *flip)
{
    return !list_is_empty(&flip->orders);
}

/* Gives up what would move the module's writes away from legacy, begun or not. */
void flip_keep_on_legacy(struct flip *flip, const struct live_module *module);

/* Gives up everything; what was begun still goes the way back, if there is time. */
void flip_cancel(struct flip *flip);

/* Ends what is under way, without an answer; no event comes after this. The jobs are left alone. */
void flip_stop(struct flip *flip);

#endif
