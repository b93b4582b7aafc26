/*
 * What was changed while running, durable before it is reported: a SQLite file in `state_dir`. Two
 * kinds of tables: the state of each module that differs from the files (overrides, latches,
 * freezes, what waits to be confirmed, write owners with their epochs), and the history of how it
 * came to that. Both change in one transaction. Control thread.
 */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include "proxy/control/change.h"
#include "proxy/control/live_state.h"
#include "proxy/core/fault.h"

struct journal;

/* One answered change. Texts and items are borrowed. */
struct journal_entry {
    uint64_t id; /* set by the journal */
    uint64_t unix_ms;
    enum change_verb verb;
    const char *module; /* that was named; empty: none, or all */
    const char *who;
    const char *why;
    uint64_t generation; /* the first that obeys it */
    uint64_t undo_of;    /* the entry that this one takes back; 0: none */
    uint64_t undone_by;  /* set by the journal; 0: it still holds */
    const struct live_item *items;
    size_t item_count;
};

/* --- the file ------------------------------------------------------------------------------ */

/* Is there a journal already? */
bool journal_exists(const char *state_dir);

/*
 * Makes the folder and the file if need be, and brings an older file up to date. NULL with *fault
 * set when it cannot be used: damaged, of a newer version, in use by another proxy.
 */
struct journal *journal_open(const char *state_dir, struct fault *fault);
void journal_close(struct journal *journal); /* NULL is allowed */

/* --- changing ------------------------------------------------------------------------------ */

/* What follows is durable when journal_commit returns true, and else as if it had not been. */
bool journal_begin(struct journal *journal, struct fault *fault);
bool journal_commit(struct journal *journal, struct fault *fault);
void journal_rollback(struct journal *journal);

/* Adds to the history; with undo_of the other entry is marked, too. */
bool journal_add_entry(struct journal *journal, const struct journal_entry *entry, uint64_t *ret_id,
                       struct fault *fault);

/* Replaces what the journal has about the module's state, but for its write owner. */
bool journal_put_module(struct journal *journal, const struct live_module *module,
                        struct fault *fault);

/* --- reading ------------------------------------------------------------------------------- */

/* Adds the state of every module that the journal knows. */
bool journal_load(struct journal *journal, struct live_state *state, struct fault *fault);

/* The highest generation that the history tells of. */
bool journal_last_generation(struct journal *journal, uint64_t *ret_generation,
                             struct fault *fault);

struct journal_query {
    struct strview module; /* only its entries; empty: all */
    uint64_t first;        /* begin with this number or the next older; 0: the newest */
    uint32_t limit;        /* 0: none */
};

/* Newest first. What on_entry is given lives until it returns; false of it ends the reading. */
bool journal_history(struct journal *journal, const struct journal_query *query,
                     bool (*on_entry)(void *context, const struct journal_entry *entry),
                     void *context, struct fault *fault);

/* The first entry after `id` that still holds and changed this key; *ret_later 0: none. */
bool journal_find_later(struct journal *journal, uint64_t id, const struct live_item *item,
                        uint64_t *ret_later, struct fault *fault);

/* --- changes of write owner ---------------------------------------------------------------- */

/* How one ended. Begun is what a crash leaves: what the applications were told is not known. */
enum journal_outcome { JOURNAL_FAILED, JOURNAL_SUCCEEDED, JOURNAL_BEGUN };

struct journal_flip {
    uint64_t id; /* set by journal_begin_flip */
    const char *module;
    enum write_owner from;
    enum write_owner to;
    uint64_t epoch;
    uint64_t generation;
    uint64_t unix_ms;    /* when it began */
    uint64_t drain_ms;   /* until no older write was in flight */
    uint64_t program_ms; /* on_flip */
    uint64_t total_ms;   /* writes were held for so long */
    enum journal_outcome outcome;
    const char *why; /* of a failure; else empty */
};

/* Durable when it returns true, so that the epoch is never used again. */
bool journal_begin_flip(struct journal *journal, struct journal_flip *flip, struct fault *fault);

/* Durable when it returns true, or with the transaction that it is part of. */
bool journal_end_flip(struct journal *journal, const struct journal_flip *flip,
                      struct fault *fault);

#endif
