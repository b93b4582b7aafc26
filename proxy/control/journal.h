/*
 * What was changed while running, durable before it is reported: a SQLite file in `state_dir`.
 * Today it holds the changes of write owner, with their epochs. Control thread.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "proxy/core/fault.h"
#include "proxy/routing/side.h"

struct journal;

/* One change of a module's write owner, as it ended. */
struct journal_flip {
    const char *module;
    enum write_owner from;
    enum write_owner to;
    uint64_t epoch;
    uint64_t generation;
    uint64_t unix_ms;    /* when it began */
    uint64_t drain_ms;   /* until no older write was in flight */
    uint64_t program_ms; /* on_flip */
    uint64_t total_ms;   /* writes were held for so long */
    bool successful;
    const char *why; /* of a failure; else empty */
};

/* Is there a journal already? */
bool journal_exists(const char *state_dir);

/* Makes the folder and the file if need be. NULL with *fault set when it cannot be used. */
struct journal *journal_open(const char *state_dir, struct fault *fault);
void journal_close(struct journal *journal); /* NULL is allowed */

/* The highest epoch that a module ever had, 1 before its first change. Every attempt uses one up,
 * and a failed one a second, for taking it back. */
bool journal_last_epoch(struct journal *journal, const char *module, uint64_t *ret_epoch,
                        struct fault *fault);

/* The owner after the last successful change; false when there was none. */
bool journal_last_owner(struct journal *journal, const char *module, enum write_owner *ret_owner);

/* Durable when it returns true. */
bool journal_record_flip(struct journal *journal, const struct journal_flip *flip,
                         struct fault *fault);

#endif
