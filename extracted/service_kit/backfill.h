/*
 * Reads the monolith's feeds up to their ends, before the service serves. What was read before is
 * not read again. Main thread, blocking.
 */
#ifndef SERVICE_KIT_BACKFILL_H
#define SERVICE_KIT_BACKFILL_H

#include <signal.h>

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/feed_apply.h"

enum { BACKFILL_FAULT_LENGTH = 768 };

enum backfill_outcome {
    BACKFILL_DONE,
    BACKFILL_ABSENT,   /* the monolith offers no feeds; nothing was read */
    BACKFILL_AGAIN,    /* it did not answer */
    BACKFILL_HOPELESS, /* what it says is not to be understood */
};

struct backfill {
    struct database *database;
    const struct feed_plan *plan;
    struct feed_source source;
    int64_t deadline_ms; /* CLOCK_MONOTONIC */
    const volatile sig_atomic_t *stop;
    char fault[BACKFILL_FAULT_LENGTH]; /* set unless done */
};

/* The monotonic clock. */
int64_t backfill_now_ms(void);

/* The whole answer is appended to body. *ret_feed_last is the field x-feed-last, or -1; NULL: it
 * is not wanted. Not done: absent (404) or again, with the fault set. */
enum backfill_outcome backfill_get(struct backfill *backfill, const char *url,
                                   struct body_text *body, int64_t *ret_feed_last);

enum backfill_outcome backfill_run(struct backfill *backfill);

#endif
