/*
 * A change of the live state on its way: made on a copy, written into the journal, taken,
 * published. In which order the last three come, the caller says: the journal first, but for abort.
 * Lives on the stack of one call. Control thread.
 */
#ifndef CONTROL_LIVE_COMMIT_H
#define CONTROL_LIVE_COMMIT_H

#include "proxy/control/journal.h"

struct control;

struct live_commit {
    struct control *control;
    struct live_state *before; /* control's, until the commit is taken */
    struct live_state *next;
    bool taken;
    bool writing; /* a transaction is open */
    struct live_items items;
    /* For the history; filled in by the caller, items and generation excepted. */
    struct journal_entry entry;
    struct journal_flip *flip;   /* ends with it; NULL: none */
    const char *pending_module;  /* whose change waits to be confirmed; NULL: none */
    struct live_pending pending; /* its entry is filled in when it is known */
};

void live_commit_init(struct live_commit *commit, struct control *control);

/* Is there anything for the journal? */
bool live_commit_is_needed(const struct live_commit *commit);

/*
 * Writes what differs, and the entry, into the journal, which is opened if need be. Nothing is
 * durable before live_commit_finish. False with *fault set.
 */
bool live_commit_write(struct live_commit *commit, struct fault *fault);
bool live_commit_finish(struct live_commit *commit, struct fault *fault);

/* Both. */
bool live_commit_store(struct live_commit *commit, struct fault *fault);

/* Makes it control's state. Publishing is another matter: control_publish_live. */
void live_commit_take(struct live_commit *commit);

/* The end; what was not taken or not finished is dropped. */
void live_commit_done(struct live_commit *commit);

/* The journal gets the aborts that it could not take when they were made. */
bool live_commit_flush(struct control *control, struct fault *fault);

#endif
