/*
 * A transaction of rows and events that only the owner of their aggregate may make. Threads that
 * may wait.
 */
#ifndef MONOLITH_OWNED_WRITE_H
#define MONOLITH_OWNED_WRITE_H

#include "monolith_stub/forum.h"
#include "monolith_stub/outcome.h"
#include "monolith_stub/store.h"

/* NULL: *ret_outcome says why (not the owner, or broken). Else end it with owned_write_end. */
struct store *owned_write_begin(struct forum *forum, enum aggregate aggregate,
                                struct outcome *ret_outcome);

/* Commits if the outcome is OUTCOME_DONE, else rolls back. The outcome, or OUTCOME_BROKEN if the
 * commit failed; done means: on disk. */
struct outcome owned_write_end(struct forum *forum, struct outcome outcome);

#endif
