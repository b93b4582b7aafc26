/*
 * Mismatches of shadowed requests, in groups, each with a few examples: a SQLite file of its own in
 * `state_dir`, beside the journal, so that a storm of mismatches never holds an `abort` up. Bounded
 * in rows and bytes. The compare thread writes, control reads and accepts: each has a connection of
 * its own, and the list of what is accepted stands under a lock.
 */
#ifndef CONTROL_MISMATCH_STORE_H
#define CONTROL_MISMATCH_STORE_H

#include <jansson.h>

#include "proxy/core/fault.h"
#include "proxy/shadow/difference_store.h"

enum { MISMATCH_GROUPS_MAX = 5000, MISMATCH_EXAMPLES = 5 };

struct mismatch_store;

/* Makes the file if need be. NULL with *fault set when it cannot be used. Control thread. */
struct mismatch_store *mismatch_store_open(const char *state_dir, struct fault *fault);
void mismatch_store_close(struct mismatch_store *store); /* NULL is allowed */

/* For the compare thread; valid as long as the store. */
const struct difference_store *mismatch_store_interface(struct mismatch_store *store);

/* --- control thread ----------------------------------------------------------------------------
 */

/*
 * The groups of a module (empty: of all), the most frequent first, at most `limit`: {"id","module",
 * "path","field","kind","count","first_seen","last_seen","accepted","suggestion"}. The caller
 * owns it. NULL with *fault set.
 */
json_t *mismatch_store_list(struct mismatch_store *store, struct strview module, uint32_t limit,
                            struct fault *fault);

/* One group, and its "examples", newest first. NULL with an empty fault when there is none. */
json_t *mismatch_store_show(struct mismatch_store *store, uint64_t id, struct fault *fault);

/* From now on the group's differences are wanted. False with an empty fault when there is none. */
bool mismatch_store_accept(struct mismatch_store *store, uint64_t id, struct strview who,
                           struct strview why, uint64_t unix_ms, struct fault *fault);

#endif
