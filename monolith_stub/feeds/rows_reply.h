/*
 * The rows of a feed as they are now, a range of ids at a time, and digests of them: what
 * `reconcile` compares between two applications. Any thread.
 */
#ifndef MONOLITH_ROWS_REPLY_H
#define MONOLITH_ROWS_REPLY_H

#include "monolith_stub/route.h"

enum {
    ROWS_LIMIT = 1000,
    ROWS_BODY_BYTES = 4 * 1024 * 1024 /* no row is added past it */
};

/* GET /internal/rows/{feed}?after=ID&upto=ID&limit=N: NDJSON, by ascending id. */
route_answer rows_answer;

/* GET /internal/digest/{feed}, the same query: how many rows, the last one's id, whether there are
 * more in the range, and the SHA-256 of the lines. */
route_answer rows_answer_digest;

#endif
