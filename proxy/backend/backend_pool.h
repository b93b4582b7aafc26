/*
 * One worker's connections to one endpoint: last in, first out, no lock. HTTP/1.1 connections carry
 * one request at a time, but for copies; an h2 connection carries many. A pool lives as long as its
 * worker.
 */
#ifndef BACKEND_BACKEND_POOL_H
#define BACKEND_BACKEND_POOL_H

#include "proxy/backend/backend.h"
#include "proxy/backend/backend_stream.h"
#include "proxy/backend/endpoint_registry.h"
#include "proxy/backend/silence.h"
#include "proxy/net/io.h"

struct backend_pool {
    struct io *io;
    struct breaker_share *share; /* of the backend; NULL: without limits */
    struct list of_share;        /* all pools of the backend */
    struct body_budget *budget;
    struct endpoint_state *endpoint;
    struct list idle;         /* HTTP/1.1: connections without a request, newest first */
    struct list pipelines;    /* HTTP/1.1: those for several requests at once */
    struct list connections;  /* all others; h2: all */
    bool retired;             /* the endpoint is named no more: no connection is kept */
    uint32_t pipeline_length; /* so many requests on one of them in all; 0: there are no more */
    uint32_t connection_count;
    uint32_t in_flight; /* open streams */
    struct silence silence;
    uint64_t failed_turn; /* of the loop, in which a failure was counted last */
    uint32_t turn; /* round_robin: whose turn it is, in the backend with this first endpoint */
    struct tls_resumption resumption;
    uint64_t tls_told_ms; /* when a failed handshake was logged last */
    int32_t owed;         /* round_robin with weights: how far this endpoint is behind its share */
};

/* All pools of a worker, by endpoint id, and its shares, by breaker id. */
struct backend_pools {
    struct io *io;
    struct body_budget budget;
    struct backend_pool **items;
    uint32_t count;
    struct backend_share **shares;
    uint32_t share_count;
    bool unlimited; /* for what no client waits for: probes, copies */
};

void backend_pools_init(struct backend_pools *pools, struct io *io, size_t body_budget_bytes);

/* All streams have to be closed; closes all connections. */
void backend_pools_done(struct backend_pools *pools);

/* Closes what is idle, in every pool whose endpoint `backends` does not name any more. */
void backend_pools_retire(struct backend_pools *pools, const struct backend *backends,
                          uint32_t backend_count);

/* What is open, in sums over workers. By the ids of endpoints and of breakers. */
struct backend_census {
    uint32_t *in_flight;   /* requests, by endpoint */
    uint32_t *connections; /* by endpoint */
    uint32_t *pending;     /* requests that wait for room, by breaker */
    uint32_t endpoint_count;
    uint32_t breaker_count;
};

/* For all that the registry knows now, each 0. Control thread. */
void backend_census_init(struct backend_census *census, const struct endpoint_registry *registry);
void backend_census_done(struct backend_census *census);

/* Adds what these pools have; ids outside of the census are left out. */
void backend_pools_count(const struct backend_pools *pools, struct backend_census *census);

/* This worker's part of a backend. */
struct breaker_share *backend_pools_share(struct backend_pools *pools, struct breaker *breaker);

/* The pool of an endpoint, made when it is asked for the first time. */
struct backend_pool *backend_pools_get(struct backend_pools *pools,
                                       struct endpoint_state *endpoint);

struct backend_stream_options {
    const struct backend_request *request; /* has to outlive the stream */
    const struct timeouts *timeouts;       /* resolved: no TIMEOUT_UNSET; read during the call */
    const struct breaker_limits *limits;   /* read during the call */
    struct tls_client *tls;                /* NULL: in clear; read during the call */
    bool waited;                           /* for room: does not queue up behind others */
    bool fresh;                            /* not on a kept connection of HTTP/1.1 */
    bool at_once; /* the owner does not think better of it in this turn: the head need not wait */
    const struct backend_stream_events *events;
    void *owner;
    struct arena *arena;
};

/*
 * Sends the request on an idle or a new connection. NULL when there is no room: the backend's
 * limits are reached, or others wait for that already. Never an event inside the call: a failure to
 * connect comes as on_failed in a later one.
 */
struct backend_stream *backend_pool_open_stream(struct backend_pool *pool,
                                                const struct backend_stream_options *options);

/*
 * The same for a copy, whose owner takes the answer as it comes, without credit: up to `depth` GET
 * and HEAD without a body are on one HTTP/1.1 connection at once (RFC 9112 section 9.3.2), and
 * those of one turn leave together at its end. They share a fate: when an answer is malformed or
 * cut, or is the last of its connection, or a stream is closed before its answer has ended (but for
 * a rest of known length, not too long to be dropped), all others that wait fail. An endpoint whose
 * answer says that it is the last, or speaks HTTP/1.0, is not asked so again; there, and for all
 * other requests, this is backend_pool_open_stream.
 */
struct backend_stream *backend_pool_open_pipelined(struct backend_pool *pool,
                                                   const struct backend_stream_options *options,
                                                   uint32_t depth);

/* A request of a client went to the pool's endpoint; its answer began; it was given up for not
 * having begun. `began_us`: when the request went there. */
void backend_pool_asked(struct backend_pool *pool);
void backend_pool_heard(struct backend_pool *pool, uint64_t began_us);
void backend_pool_timed_out(struct backend_pool *pool, uint64_t began_us);

/*
 * What became of a request to the pool's endpoint, for its health. `set`: all endpoints of the
 * backend. A connection that is lost takes many requests with it: in one turn of the loop failures
 * count once.
 */
void backend_pool_answered(struct backend_pool *pool, const struct endpoint_set *set, int status);
void backend_pool_failed(struct backend_pool *pool, const struct endpoint_set *set,
                         enum backend_fault fault, bool reused);

#endif
