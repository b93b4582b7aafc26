/*
 * Follows the feeds of the extracted services, in one thread: a long poll a feed, applied in
 * transactions of the writer.
 * Owner: main. What is public may be called from any thread.
 */
#ifndef MONOLITH_FOLLOWER_H
#define MONOLITH_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/forum.h"

struct store;
struct follower;

enum { FOLLOWER_FRESH_MS = 1000 };

/* urls: the origin of the service that owns the aggregate, or NULL; borrowed. NULL: logged. */
struct follower *follower_new(struct forum *forum, const char *const urls[AGGREGATE_COUNT]);

/* Ends the thread after what it is just applying. NULL is allowed. */
void follower_free(struct follower *follower);

/* Where a feed is read from; NULL: it is not followed. */
const char *follower_origin(const struct follower *follower, enum feed feed);

/* How far a feed is: false if it is not followed. */
struct follower_state {
    int64_t cursor;
    int64_t lag_ms;   /* 0: the last poll reached the end, and the next one is under way */
    int64_t quiet_ms; /* since a poll last reached the end */
};
bool follower_state_read(struct follower *follower, enum feed feed,
                         struct follower_state *ret_state);

/* Whether our own copy of the sessions is enough to judge one that it holds, or holds not. */
bool follower_sessions_are_settled(struct follower *follower, struct store *store, bool is_known);

#endif
