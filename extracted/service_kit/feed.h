/*
 * The feeds of a service, as constants: which rows it hands on, and which it takes over from
 * others. An aggregate is what one module owns; a feed is one kind of row in it.
 * Pure; any thread.
 */
#ifndef SERVICE_KIT_FEED_H
#define SERVICE_KIT_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "extracted/service_kit/row_reply.h"

enum {
    FEED_BATCH_EVENTS = 200,              /* asked for at once */
    FEED_LIMIT_EVENTS = 500,              /* given at once */
    FEED_BODY_LIMIT = 16 * 1024 * 1024,   /* bytes of a batch; 200 of the longest posts fit */
    FEED_ANSWER_ENOUGH = 4 * 1024 * 1024, /* an answer this long takes no further event */
    FEED_WAIT_LONGEST_S = 30,
};

/* One kind of row. The queries are indices into the service's own. */
struct feed {
    const char *name;
    const char *aggregate;
    const struct row_shape *shape; /* the members of an event's row */
    size_t put_query;    /* they are ?1, ?2, …; the event's epoch comes next, if it is wanted */
    size_t delete_query; /* ?1 the id, ?2 the epoch if it is wanted */
    size_t rows_query;   /* of an own feed: ?1 after and ?2 up to an id, NULL for no bound; ?3 how
                            many: the members, then the id as text, by ascending id */
};

struct feed_plan {
    const char
        *aggregate; /* what the service may own; its feeds are served, the others only read */
    const struct feed *feeds;
    size_t count;
};

bool feed_is_own(const struct feed_plan *plan, const struct feed *feed);

/* NULL: there is none of that name. */
const struct feed *feed_find(const struct feed_plan *plan, const char *name, size_t length);

/* Reads the line of a field if it is x-feed-last; bytes need no NUL. False: it is another one, or
 * not a number. */
bool feed_last_read(const char *line, size_t length, int64_t *ret_seq);

#endif
