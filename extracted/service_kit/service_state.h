/*
 * A service while it runs: what answers may need besides the request. Owner: service_run; handed
 * to the routes with each request. The loop's thread.
 */
#ifndef SERVICE_KIT_SERVICE_STATE_H
#define SERVICE_KIT_SERVICE_STATE_H

#include "extracted/service_kit/follower.h"

struct service_state {
    const char *name;
    const struct feed_plan *feeds;
    struct database *database;
    struct http_client *client;
    struct followers *followers;
    struct job_pool *jobs;
    struct follower_sources sources;
    size_t session_query;
    size_t username_query;
};

#endif
