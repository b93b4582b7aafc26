/*
 * One request and its answer. It collects the body, lets a thread answer that may take its time
 * while the connection is suspended, and comes back to queue the response.
 * Owner: the web server's thread of its connection; while suspended, whoever will resume it.
 */
#ifndef MONOLITH_WEB_EXCHANGE_H
#define MONOLITH_WEB_EXCHANGE_H

#include <microhttpd.h>

#include "monolith_stub/forum.h"

struct job_pool;
struct suspensions;

/* What all exchanges share; the web server's. */
struct web_context {
    struct forum *forum;
    struct job_pool *writes;
    struct job_pool *passwords;
    struct suspensions *suspensions;
};

struct web_exchange;

/* NULL: no memory. */
struct web_exchange *web_exchange_new(const struct web_context *context,
                                      struct MHD_Connection *connection, const char *method,
                                      const char *url);
void web_exchange_free(struct web_exchange *exchange);

/* A piece of the body; pieces that nobody wants or that are too many are dropped. */
void web_exchange_take_body(struct web_exchange *exchange, const char *bytes, size_t length);

/* The request is complete, or the connection was resumed: goes on until the response is queued or
 * the connection suspended. MHD_NO: the connection has to be closed. */
enum MHD_Result web_exchange_run(struct web_exchange *exchange, const char *version);

#endif
