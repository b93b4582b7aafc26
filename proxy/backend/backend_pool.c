#include "proxy/backend/backend_pool.h"

#include <stdlib.h>

#include "proxy/backend/connection.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/core/log.h"

/* A handshake that fails is logged so often at most, by each worker for each endpoint. */
enum { TLS_TELL_MS = 10000 };

void backend_pools_init(struct backend_pools *pools, struct io *io, size_t body_budget_bytes)
{
    *pools = (struct backend_pools){.io = io, .budget.limit = body_budget_bytes};
}

static void pool_close_connections(struct backend_pool *pool)
{
    if (pool->endpoint->protocol == BACKEND_H2)
        http2_close_connections(pool);
    else
        http1_close_connections(pool);
}

/* One worker's part of a backend: what it may do, and its pools. */
struct backend_share {
    struct breaker_share breaker;
    struct list pools;
};

void backend_pools_done(struct backend_pools *pools)
{
    for (uint32_t i = 0; i < pools->count; i++) {
        if (pools->items[i] == NULL)
            continue;
        CHECK(pools->items[i]->in_flight == 0);
        pool_close_connections(pools->items[i]);
        tls_resumption_done(&pools->items[i]->resumption);
        free(pools->items[i]);
    }
    for (uint32_t i = 0; i < pools->share_count; i++) {
        if (pools->shares[i] != NULL)
            breaker_share_done(&pools->shares[i]->breaker);
        free(pools->shares[i]);
    }
    free(pools->shares);
    free(pools->items);
    *pools = (struct backend_pools){0};
}

static bool is_named(const struct endpoint_state *endpoint, const struct backend *backends,
                     uint32_t backend_count)
{
    for (uint32_t i = 0; i < backend_count; i++) {
        if (endpoint_set_contains(backend_endpoints(&backends[i]), endpoint))
            return true;
    }
    return false;
}

void backend_pools_retire(struct backend_pools *pools, const struct backend *backends,
                          uint32_t backend_count)
{
    for (uint32_t i = 0; i < pools->count; i++) {
        struct backend_pool *pool = pools->items[i];
        if (pool == NULL)
            continue;
        pool->retired = !is_named(pool->endpoint, backends, backend_count);
        if (pool->retired)
            pool_close_connections(pool);
    }
}

void backend_census_init(struct backend_census *census, const struct endpoint_registry *registry)
{
    uint32_t endpoints = endpoint_registry_count(registry);
    uint32_t breakers = endpoint_registry_breaker_count(registry);
    *census = (struct backend_census){
        .in_flight = memory_zalloc(endpoints * sizeof(uint32_t)),
        .connections = memory_zalloc(endpoints * sizeof(uint32_t)),
        .pending = memory_zalloc(breakers * sizeof(uint32_t)),
        .endpoint_count = endpoints,
        .breaker_count = breakers,
    };
}

void backend_census_done(struct backend_census *census)
{
    free(census->in_flight);
    free(census->connections);
    free(census->pending);
    *census = (struct backend_census){0};
}

void backend_pools_count(const struct backend_pools *pools, struct backend_census *census)
{
    for (uint32_t i = 0; i < pools->count && i < census->endpoint_count; i++) {
        const struct backend_pool *pool = pools->items[i];
        census->in_flight[i] += pool != NULL ? pool->in_flight : 0;
        census->connections[i] += pool != NULL ? pool->connection_count : 0;
    }
    for (uint32_t i = 0; i < pools->share_count && i < census->breaker_count; i++) {
        const struct backend_share *share = pools->shares[i];
        census->pending[i] += share != NULL ? share->breaker.quotas[BREAKER_PENDING].used : 0;
    }
}

static struct backend_share *share_of(struct backend_pools *pools, struct breaker *breaker)
{
    if (breaker->id >= pools->share_count) {
        uint32_t count = breaker->id + 1;
        pools->shares = memory_realloc(pools->shares, count * sizeof(*pools->shares));
        for (uint32_t i = pools->share_count; i < count; i++)
            pools->shares[i] = NULL;
        pools->share_count = count;
    }
    struct backend_share **slot = &pools->shares[breaker->id];
    if (*slot == NULL) {
        *slot = memory_zalloc(sizeof(**slot));
        breaker_share_init(&(*slot)->breaker, breaker, &pools->io->loop);
        list_init(&(*slot)->pools);
    }
    return *slot;
}

struct breaker_share *backend_pools_share(struct backend_pools *pools, struct breaker *breaker)
{
    return &share_of(pools, breaker)->breaker;
}

static struct backend_pool *pool_new(struct backend_pools *pools, struct endpoint_state *endpoint)
{
    struct backend_pool *pool = memory_zalloc(sizeof(*pool));
    pool->io = pools->io;
    pool->budget = &pools->budget;
    pool->endpoint = endpoint;
    list_init(&pool->of_share);
    list_init(&pool->idle);
    list_init(&pool->pipelines);
    pool->pipeline_length = UINT32_MAX;
    list_init(&pool->connections);
    if (endpoint->breaker == NULL || pools->unlimited)
        return pool;
    struct backend_share *share = share_of(pools, endpoint->breaker);
    pool->share = &share->breaker;
    list_append(&share->pools, &pool->of_share);
    return pool;
}

struct backend_pool *backend_pools_get(struct backend_pools *pools, struct endpoint_state *endpoint)
{
    if (endpoint->id >= pools->count) {
        uint32_t count = endpoint->id + 1;
        pools->items = memory_realloc(pools->items, count * sizeof(*pools->items));
        for (uint32_t i = pools->count; i < count; i++)
            pools->items[i] = NULL;
        pools->count = count;
    }
    struct backend_pool **slot = &pools->items[endpoint->id];
    if (*slot == NULL)
        *slot = pool_new(pools, endpoint);
    return *slot;
}

/* --- room ------------------------------------------------------------------------------------ */

static struct backend_stream *open_stream(struct backend_pool *pool,
                                          const struct backend_stream_options *options)
{
    if (pool->endpoint->protocol == BACKEND_H2)
        return http2_open_stream(pool, options);
    return http1_open_stream(pool, options);
}

struct backend_stream *backend_pool_open_stream(struct backend_pool *pool,
                                                const struct backend_stream_options *options)
{
    struct breaker_share *share = pool->share;
    if (share == NULL)
        return open_stream(pool, options);
    if (!options->waited && breaker_has_waiters(share))
        return NULL;
    if (!breaker_take(share, BREAKER_IN_FLIGHT, options->limits)) {
        if (!options->waited)
            breaker_count_reached(share, BREAKER_IN_FLIGHT);
        return NULL;
    }
    struct backend_stream *stream = open_stream(pool, options);
    if (stream == NULL) {
        breaker_untake(share, BREAKER_IN_FLIGHT);
        if (!options->waited)
            breaker_count_reached(share, BREAKER_CONNECTIONS);
    }
    return stream;
}

static bool may_be_pipelined(const struct backend_pool *pool,
                             const struct backend_stream_options *options)
{
    const struct backend_request *request = options->request;
    bool is_plain = (request->method == METHOD_GET || request->method == METHOD_HEAD) &&
                    !request->has_body && !request->websocket;
    return is_plain && pool->endpoint->protocol == BACKEND_HTTP1 && pool->share == NULL &&
           pool->pipeline_length > 0 && !options->fresh;
}

struct backend_stream *backend_pool_open_pipelined(struct backend_pool *pool,
                                                   const struct backend_stream_options *options,
                                                   uint32_t depth)
{
    if (depth > 1 && may_be_pipelined(pool, options))
        return http1_open_pipelined(pool, options, depth);
    return backend_pool_open_stream(pool, options);
}

void pool_stream_closed(struct backend_pool *pool)
{
    pool->in_flight--;
    if (pool->share != NULL)
        breaker_give(pool->share, BREAKER_IN_FLIGHT);
}

void pool_connection_closed(struct backend_pool *pool)
{
    pool->connection_count--;
    if (pool->share != NULL)
        breaker_give(pool->share, BREAKER_CONNECTIONS);
}

/* Ends a connection to another endpoint of the backend that nobody uses. */
static bool end_idle_connection(struct breaker_share *breaker)
{
    struct backend_share *share = LIST_ENTRY(breaker, struct backend_share, breaker);
    for (struct list *at = share->pools.next; at != &share->pools; at = at->next) {
        if (http1_close_oldest(LIST_ENTRY(at, struct backend_pool, of_share)))
            return true;
    }
    return false;
}

static bool take_connection(struct breaker_share *share, const struct breaker_limits *limits)
{
    return share == NULL || breaker_take(share, BREAKER_CONNECTIONS, limits) ||
           (end_idle_connection(share) && breaker_take(share, BREAKER_CONNECTIONS, limits));
}

bool pool_open_connection(struct backend_pool *pool, const struct backend_stream_options *options,
                          struct ssl_st **ret_tls)
{
    const struct endpoint_state *endpoint = pool->endpoint;
    if (!take_connection(pool->share, options->limits))
        return false;
    pool->connection_count++;
    *ret_tls = NULL;
    if (options->tls == NULL)
        return true;
    *ret_tls = tls_client_new_connection(options->tls, endpoint->host, &endpoint->address,
                                         &pool->resumption);
    if (*ret_tls == NULL)
        pool_connection_closed(pool);
    return *ret_tls != NULL;
}

void stream_init(struct backend_stream *stream, struct backend_pool *pool,
                 const struct backend_stream_methods *methods,
                 const struct backend_stream_options *options)
{
    *stream = (struct backend_stream){
        .methods = methods,
        .events = options->events,
        .owner = options->owner,
        .arena = options->arena,
        .request = options->request,
    };
    receive_window_init(&stream->window, pool->budget);
    pool->in_flight++;
}

void backend_pool_asked(struct backend_pool *pool)
{
    silence_asked(&pool->silence, pool->io->loop.now_ms);
}

void backend_pool_heard(struct backend_pool *pool, uint64_t began_us)
{
    silence_broken(&pool->silence, pool->io->loop.now_us - began_us);
}

void backend_pool_timed_out(struct backend_pool *pool, uint64_t began_us)
{
    silence_timed_out(&pool->silence, began_us / 1000, pool->io->loop.now_ms);
}

void backend_pool_answered(struct backend_pool *pool, const struct endpoint_set *set, int status)
{
    uint64_t now_ms = pool->io->loop.now_ms;
    if (!status_is_failure(status))
        endpoint_succeeded(pool->endpoint, now_ms);
    else
        endpoint_failed(pool->endpoint, set, now_ms);
}

void backend_pool_failed(struct backend_pool *pool, const struct endpoint_set *set,
                         enum backend_fault fault, bool reused)
{
    const struct loop *loop = &pool->io->loop;
    if (!fault_is_failure(fault, reused) || pool->failed_turn == loop->turn)
        return;
    pool->failed_turn = loop->turn;
    endpoint_failed(pool->endpoint, set, loop->now_ms);
}

void pool_tls_failed(struct backend_pool *pool, const char *why)
{
    struct endpoint_state *endpoint = pool->endpoint;
    uint64_t now_ms = pool->io->loop.now_ms;
    atomic_store_explicit(&endpoint->tls_fault, why, memory_order_relaxed);
    if (pool->tls_told_ms != 0 && now_ms < pool->tls_told_ms + TLS_TELL_MS)
        return;
    pool->tls_told_ms = now_ms;
    log_warning("backend %.*s, endpoint %.*s: TLS: %s", STRVIEW_ARGS(endpoint->backend_name),
                STRVIEW_ARGS(endpoint->address_text), why);
}

/* --- a stream without a connection --------------------------------------------------------- */

struct failed_stream {
    struct backend_stream base;
    struct backend_pool *pool;
    struct task fail;
    enum backend_fault fault;
};

static void failed_send_body(struct backend_stream *base, struct buffer *source, const char *data,
                             size_t length)
{
    (void)base, (void)source, (void)data, (void)length;
}

static void failed_send_end(struct backend_stream *base, const struct headers *trailers)
{
    (void)base, (void)trailers;
}

static void failed_consumed(struct backend_stream *base, size_t length)
{
    (void)base, (void)length;
}

static void failed_close(struct backend_stream *base, struct withdrawn *withdrawn)
{
    (void)withdrawn;
    struct failed_stream *stream = LIST_ENTRY(base, struct failed_stream, base);
    task_cancel(&stream->fail);
    pool_stream_closed(stream->pool);
    /* Its memory is the owner's arena. */
}

static bool failed_is_sent(const struct backend_stream *base)
{
    (void)base;
    return false;
}

static void run_fail(struct task *task)
{
    struct failed_stream *stream = LIST_ENTRY(task, struct failed_stream, fail);
    stream->base.finished = true;
    stream->base.events->on_failed(stream->base.owner, stream->fault, true, false);
}

struct backend_stream *failed_stream_open(struct backend_pool *pool,
                                          const struct backend_stream_options *options,
                                          enum backend_fault fault)
{
    static const struct backend_stream_methods methods = {
        .send_body = failed_send_body,
        .send_end = failed_send_end,
        .consumed = failed_consumed,
        .close = failed_close,
        .is_sent = failed_is_sent,
    };
    struct failed_stream *stream = arena_zalloc(options->arena, sizeof(*stream));
    stream_init(&stream->base, pool, &methods, options);
    stream->pool = pool;
    stream->fault = fault;
    task_init(&stream->fail, run_fail);
    task_schedule(&pool->io->loop, &stream->fail);
    return &stream->base;
}
