/*
 * What backend_pool needs of the two kinds of connections, and they of it. Internal to backend/.
 */
#ifndef BACKEND_CONNECTION_H
#define BACKEND_CONNECTION_H

#include "proxy/backend/backend_pool.h"
#include "proxy/backend/endpoint_health.h"

/* A stream on an idle or new connection of the pool; NULL when another connection may not be made.
 */
struct backend_stream *http1_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options);
struct backend_stream *http2_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options);

/* The same among up to `depth` others on the connection; see backend_pool_open_pipelined. */
struct backend_stream *http1_open_pipelined(struct backend_pool *pool,
                                            const struct backend_stream_options *options,
                                            uint32_t depth);

/* Close connections: only the unused ones, or all (no stream may be open then). */
void http1_close_connections(struct backend_pool *pool);
void http2_close_connections(struct backend_pool *pool);

/*
 * A place for one more connection, and what it takes along: a TLS object, or NULL in clear. False
 * when the limits are reached, or there is no memory for it.
 */
bool pool_open_connection(struct backend_pool *pool, const struct backend_stream_options *options,
                          struct ssl_st **ret_tls);
void pool_connection_closed(struct backend_pool *pool);

/* Each stream that stream_init began ends here. */
void pool_stream_closed(struct backend_pool *pool);

/* Closes the idle connection that was used least lately, if there is one. */
bool http1_close_oldest(struct backend_pool *pool);

/* A handshake failed: operators want to know why. `why` is a static text. */
void pool_tls_failed(struct backend_pool *pool, const char *why);

/* A stream that fails at the end of the turn, when no connection can be had for it. */
struct backend_stream *failed_stream_open(struct backend_pool *pool,
                                          const struct backend_stream_options *options,
                                          enum backend_fault fault);

void stream_init(struct backend_stream *stream, struct backend_pool *pool,
                 const struct backend_stream_methods *methods,
                 const struct backend_stream_options *options);

#endif
