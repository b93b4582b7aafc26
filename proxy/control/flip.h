/*
 * A change of write owner, one module after the other, each as one transaction: freeze the module's
 * writes, wait until no older one is in flight, run `on_flip`, record it, set the owner, unfreeze.
 * A failure leaves the old owner. Control thread; nothing here blocks it for long.
 */
#ifndef CONTROL_FLIP_H
#define CONTROL_FLIP_H

#include "proxy/control/journal.h"
#include "proxy/control/program.h"
#include "proxy/control/publish.h"

struct flip {
    struct loop *loop;
    struct publisher *publisher;
    struct journal **journal; /* opened when first needed */
    const char *state_dir;    /* borrowed: of the start, whatever the files say since */
    uint64_t *next_generation;
    struct snapshot *target;  /* what is wanted in the end; one reference. NULL: no flip is on */
    struct module_table *now; /* the target's modules with the owners as they are now */
    uint32_t module;          /* the one being changed */
    struct deadline poll;     /* is a write still in flight? */
    struct program program;
    struct journal_flip record;
    uint64_t began_ms;
    uint64_t drained_ms;
    bool failed; /* one of the modules kept its old owner */
    void (*on_done)(struct flip *flip, bool successful);
};

/* Does `target` change the write owner of a module that `current` has? */
bool flip_is_needed(const struct snapshot *current, const struct snapshot *target);

/* Takes the target. on_done comes later, or inside this call; the target's other changes are in
 * force before the first module is frozen. False with *fault set when not even that could be
 * published. */
bool flip_start_take(struct flip *flip, struct snapshot *target, struct fault *fault);

static inline bool flip_is_on(const struct flip *flip)
{
    return flip->target != NULL;
}

/* Gives up what is under way and lets the held writes go to their old owner. */
void flip_cancel(struct flip *flip);

/*
 * The snapshot to begin with after a start, when the journal's last owners are not those of the
 * files: one with the recorded owners, from which a flip leads to the wanted one. NULL when they
 * agree.
 */
struct snapshot *flip_with_recorded_owners(struct snapshot *wanted, struct journal *journal,
                                           uint64_t generation);

/* Ends what is under way without another change; no event comes after this. */
void flip_stop(struct flip *flip);

#endif
