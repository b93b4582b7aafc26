/*
 * The forum behind the web server: every path it knows, and what answers there.
 * Owner of the site is main; site_answer runs on any thread of the web server.
 */
#ifndef MONOLITH_SITE_H
#define MONOLITH_SITE_H

#include "monolith_stub/reply.h"
#include "monolith_stub/store_pool.h"

/* Fills a reply made with reply_init. Always ends with a complete answer. */
void site_answer(struct store_pool *pool, struct request *request, struct reply *reply);

#endif
