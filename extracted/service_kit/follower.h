/*
 * Reads the feeds of other applications for as long as the service runs: asks, applies, asks
 * again, with a long poll once it has read everything. Owner: the running service. The loop's
 * thread.
 */
#ifndef SERVICE_KIT_FOLLOWER_H
#define SERVICE_KIT_FOLLOWER_H

#include "extracted/service_kit/feed_apply.h"
#include "extracted/service_kit/http_client.h"

enum {
    FOLLOWER_WAIT_S = 5,          /* a long poll */
    FOLLOWER_PAUSE_MS = 200,      /* after a failure; doubles … */
    FOLLOWER_PAUSE_MAX_MS = 2000, /* … up to this */
    FOLLOWER_ABSENT_MS = 10000,   /* where a feed is not offered */
    FOLLOWER_COMPLAINS_MS = 10000,
};

/* The places that a service reads from; an origin that is NULL is not read from. */
struct follower_sources {
    const char *monolith;
    const char *users;
    const char *threads;
};

enum { FOLLOWER_SOURCES = 2 }; /* of one feed: the monolith, and the service taken out of it */

/* Who tells of a feed; returns how many. Pure. */
size_t follower_sources_of(const struct feed_plan *plan, const struct follower_sources *sources,
                           const struct feed *feed, struct feed_source ret_each[FOLLOWER_SOURCES]);

struct followers;

struct followers_settings {
    const char *service; /* name for messages */
    struct database *database;
    const struct feed_plan *plan;
    struct follower_sources sources;
    struct ev_loop *loop;
    struct http_client *client;
};

/* Starts one follower a feed and source. The settings' objects are borrowed for life. NULL: no
 * memory. */
struct followers *followers_new(const struct followers_settings *settings);
void followers_free(struct followers *followers);

/* The age of the oldest event that is known and not applied, or for how long the source has not
 * been heard of; 0: at the end of the feed. The largest over all sources of the feed. */
double followers_lag_s(const struct followers *followers, const char *feed);

/* Prometheus text: lag_seconds and feed_cursor. */
void followers_add_metrics(const struct followers *followers, struct body_text *out);

/* "<feed>@<side>":SEQ,… for the feeds that belong to an aggregate. */
void followers_add_cursors(const struct followers *followers, const char *aggregate,
                           struct body_text *out);

#endif
