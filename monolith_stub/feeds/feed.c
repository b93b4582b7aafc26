#include "monolith_stub/feeds/feed.h"

#include <string.h>
#include <strings.h>

static const char *const aggregate_names[AGGREGATE_COUNT] = {
    [AGGREGATE_USERS] = "users",
    [AGGREGATE_THREADS] = "threads",
    [AGGREGATE_POSTS] = "posts",
};

static const struct {
    const char *name;
    enum aggregate aggregate;
} feeds[FEED_COUNT] = {
    [FEED_USERS] = {"users", AGGREGATE_USERS},
    [FEED_ACCOUNTS] = {"accounts", AGGREGATE_USERS},
    [FEED_SESSIONS] = {"sessions", AGGREGATE_USERS},
    [FEED_CATEGORIES] = {"categories", AGGREGATE_THREADS},
    [FEED_THREADS] = {"threads", AGGREGATE_THREADS},
    [FEED_POSTS] = {"posts", AGGREGATE_POSTS},
    [FEED_LIKES] = {"likes", AGGREGATE_POSTS},
};

const char *aggregate_name(enum aggregate aggregate)
{
    return aggregate_names[aggregate];
}

const char *feed_name(enum feed feed)
{
    return feeds[feed].name;
}

enum aggregate feed_aggregate(enum feed feed)
{
    return feeds[feed].aggregate;
}

static bool is_name(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && strncasecmp(known, name, length) == 0;
}

bool aggregate_find(const char *name, size_t length, enum aggregate *ret_aggregate)
{
    for (int i = 0; i < AGGREGATE_COUNT; i++) {
        if (is_name(aggregate_names[i], name, length)) {
            *ret_aggregate = (enum aggregate)i;
            return true;
        }
    }
    return false;
}

bool feed_find(const char *name, size_t length, enum feed *ret_feed)
{
    for (int i = 0; i < FEED_COUNT; i++) {
        if (is_name(feeds[i].name, name, length)) {
            *ret_feed = (enum feed)i;
            return true;
        }
    }
    return false;
}
