/*
 * The feeds and the aggregates that they belong to. An aggregate is what one module owns; a feed
 * is one kind of row in it. Pure; any thread.
 */
#ifndef MONOLITH_FEED_H
#define MONOLITH_FEED_H

#include <stdbool.h>
#include <stddef.h>

enum aggregate { AGGREGATE_USERS, AGGREGATE_THREADS, AGGREGATE_POSTS, AGGREGATE_COUNT };

enum feed {
    FEED_USERS,
    FEED_ACCOUNTS,
    FEED_SESSIONS,
    FEED_CATEGORIES,
    FEED_THREADS,
    FEED_POSTS,
    FEED_LIKES,
    FEED_COUNT,
};

const char *aggregate_name(enum aggregate aggregate);
const char *feed_name(enum feed feed);
enum aggregate feed_aggregate(enum feed feed);

/* By name, in any letter case as all paths. False: there is none. */
bool aggregate_find(const char *name, size_t length, enum aggregate *ret_aggregate);
bool feed_find(const char *name, size_t length, enum feed *ret_feed);

#endif
