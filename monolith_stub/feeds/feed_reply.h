/*
 * GET /internal/feed/{feed}?after=SEQ&wait=20s&limit=500: the outbox as NDJSON, waiting for news
 * if there is none. Any thread.
 */
#ifndef MONOLITH_FEED_REPLY_H
#define MONOLITH_FEED_REPLY_H

#include "monolith_stub/route.h"

enum {
    FEED_EVENT_LIMIT = 500,
    FEED_WAIT_LIMIT_MS = 30 * 1000,
    FEED_BODY_BYTES = 4 * 1024 * 1024 /* no event is added past it */
};

route_answer feed_answer;

#endif
