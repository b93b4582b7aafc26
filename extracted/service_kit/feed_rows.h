/*
 * The rows of a feed as they are now, a range of ids at a time, and digests of them: what
 * `reconcile` compares between two applications. The loop's thread.
 */
#ifndef SERVICE_KIT_FEED_ROWS_H
#define SERVICE_KIT_FEED_ROWS_H

#include "extracted/service_kit/router.h"

/* What a feed's rows_query ends with, where `id` is its table's key. */
#define FEED_ROWS_BY_ID                                                                            \
    " WHERE id > coalesce(CAST(?1 AS INTEGER), -9223372036854775807)"                              \
    " AND id <= coalesce(CAST(?2 AS INTEGER), 9223372036854775807) ORDER BY id LIMIT ?3"

enum { FEED_ROWS_LIMIT = 1000 };

/* GET /internal/rows/{feed}?after=ID&upto=ID&limit=N: NDJSON, a row a line, by ascending id. */
http_answer feed_rows_answer;

/* GET /internal/digest/{feed}, the same query: how many these are, the last one's id, whether more
 * of them are in the range, and the SHA-256 of the lines. */
http_answer feed_rows_answer_digest;

#endif
