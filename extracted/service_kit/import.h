/*
 * Fills a service's tables before the service serves: from the monolith's feeds, or, where it
 * offers none, from its exports. The exports replace all tables in one transaction, so doing it
 * again changes nothing, and a failure leaves what was there. Main thread, blocking.
 */
#ifndef SERVICE_KIT_IMPORT_H
#define SERVICE_KIT_IMPORT_H

#include <signal.h>
#include <stdint.h>

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/feed.h"
#include "extracted/service_kit/row_reply.h"

/* One export and the table that it fills; constants. */
struct import_source {
    const char *path;       /* for example /internal/export/users: NDJSON, one row a line */
    const char *delete_sql; /* empties the table */
    size_t insert_query;    /* takes the members of the shape as ?1, ?2, … */
    const struct row_shape *shape;
};

struct import_plan {
    const struct import_source *sources;
    size_t count;
};

struct import_settings {
    const char *service;  /* name for messages */
    const char *monolith; /* http://ADDRESS:PORT */
    const struct feed_plan *feeds;
    int64_t timeout_ms;                /* for all attempts together */
    const volatile sig_atomic_t *stop; /* becomes non-zero when the process is to end */
};

enum import_outcome {
    IMPORT_FILLED,  /* the tables are what the monolith has */
    IMPORT_STALE,   /* the monolith could not be read; an earlier import is in place */
    IMPORT_FAILED,  /* nothing to serve; logged */
    IMPORT_STOPPED, /* told to stop meanwhile */
};

/* Tries until it works or the time is over. With an earlier import in place it tries only once. */
enum import_outcome import_run(struct database *database, const struct import_plan *plan,
                               const struct import_settings *settings);

#endif
