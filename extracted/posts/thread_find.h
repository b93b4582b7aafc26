/*
 * Whether a thread is there. Threads belong to others: one that is not in our copy may have been
 * opened elsewhere a moment ago. The loop's thread.
 */
#ifndef POSTS_THREAD_FIND_H
#define POSTS_THREAD_FIND_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/outcome.h"

/* Done: it is in our copy now. Not found: it is nowhere. Out of reach: who would know did not
 * answer in time. False: the reply waits, return at once. */
bool thread_find(struct database *database, const struct http_request *request,
                 struct http_reply *reply, int64_t thread, struct outcome *ret_outcome);

#endif
