/*
 * One worker's connections to one endpoint: last in, first out, no lock. HTTP/1.1 connections carry
 * one request at a time; an h2 connection carries many. A pool lives as long as its worker.
 */
#ifndef BACKEND_BACKEND_POOL_H
#define BACKEND_BACKEND_POOL_H

#include "proxy/backend/backend.h"
#include "proxy/backend/backend_stream.h"
#include "proxy/net/io.h"

enum { BACKEND_POOL_CONNECTIONS_MAX = 1024 };

struct backend_pool {
    struct io *io;
    struct body_budget *budget;
    struct endpoint_state *endpoint;
    struct list idle;        /* HTTP/1.1: connections without a request, newest first */
    struct list connections; /* all others; h2: all */
    uint32_t connection_count;
    uint32_t in_flight;   /* open streams */
    uint64_t failed_turn; /* of the loop, in which a failure was counted last */
    uint32_t turn; /* round_robin: whose turn it is, in the backend with this first endpoint */
    struct tls_resumption resumption;
    uint64_t tls_told_ms; /* when a failed handshake was logged last */
    int32_t owed;         /* round_robin with weights: how far this endpoint is behind its share */
};

/* All pools of a worker, by endpoint id. */
struct backend_pools {
    struct io *io;
    struct body_budget budget;
    struct backend_pool **items;
    uint32_t count;
};

void backend_pools_init(struct backend_pools *pools, struct io *io, size_t body_budget_bytes);

/* All streams have to be closed; closes all connections. */
void backend_pools_done(struct backend_pools *pools);

/* Closes what is idle, in every pool whose endpoint `backends` does not name any more. */
void backend_pools_retire(struct backend_pools *pools, const struct backend *backends,
                          uint32_t backend_count);

/* Open streams of all pools. */
uint32_t backend_pools_in_flight(const struct backend_pools *pools);
uint32_t backend_pools_connections(const struct backend_pools *pools);

/* The pool of an endpoint, made when it is asked for the first time. */
struct backend_pool *backend_pools_get(struct backend_pools *pools,
                                       struct endpoint_state *endpoint);

struct backend_stream_options {
    const struct backend_request *request; /* has to outlive the stream */
    const struct timeouts *timeouts;       /* resolved: no TIMEOUT_UNSET; read during the call */
    struct tls_client *tls;                /* NULL: in clear; read during the call */
    const struct backend_stream_events *events;
    void *owner;
    struct arena *arena;
};

/*
 * Sends the request on an idle or a new connection. Never NULL and never an event inside the call:
 * a failure to connect comes as on_failed in a later one.
 */
struct backend_stream *backend_pool_open_stream(struct backend_pool *pool,
                                                const struct backend_stream_options *options);

/*
 * What became of a request to the pool's endpoint, for its health. `set`: all endpoints of the
 * backend. A connection that is lost takes many requests with it: in one turn of the loop failures
 * count once.
 */
void backend_pool_answered(struct backend_pool *pool, const struct endpoint_set *set, int status);
void backend_pool_failed(struct backend_pool *pool, const struct endpoint_set *set,
                         enum backend_fault fault, bool reused);

#endif
