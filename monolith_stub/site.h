/*
 * The forum behind the web server: every path it knows, and what answers there.
 * Owner of the site is main; its functions run on any thread.
 */
#ifndef MONOLITH_SITE_H
#define MONOLITH_SITE_H

#include "monolith_stub/route.h"

/* Finds the request's route. Whether its body is wanted. */
bool site_find_route(struct request *request);

/* Whether the route looks at more than the path. */
bool site_wants_details(const struct request *request);

/* How long to hold the answer back, by the knobs. */
uint32_t site_latency_ms(const struct forum *forum, const struct request *request);

/* Where the answer has to be made. Looks up who asks. */
enum route_work site_work(struct forum *forum, struct request *request);

/* Fills a reply made with reply_init. Ends with a complete answer or one that waits. */
void site_answer(struct forum *forum, struct request *request, struct reply *reply);

/* 503: too much is waiting already. */
void site_answer_busy(const struct request *request, struct reply *reply);

#endif
