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
        if (pool != NULL && !is_named(pool->endpoint, backends, backend_count))
            pool_close_connections(pool);
    }
}

uint32_t backend_pools_in_flight(const struct backend_pools *pools)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < pools->count; i++)
        sum += pools->items[i] != NULL ? pools->items[i]->in_flight : 0;
    return sum;
}

uint32_t backend_pools_connections(const struct backend_pools *pools)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < pools->count; i++)
        sum += pools->items[i] != NULL ? pools->items[i]->connection_count : 0;
    return sum;
}

static struct backend_pool *pool_new(struct backend_pools *pools, struct endpoint_state *endpoint)
{
    struct backend_pool *pool = memory_zalloc(sizeof(*pool));
    pool->io = pools->io;
    pool->budget = &pools->budget;
    pool->endpoint = endpoint;
    list_init(&pool->idle);
    list_init(&pool->connections);
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

struct backend_stream *backend_pool_open_stream(struct backend_pool *pool,
                                                const struct backend_stream_options *options)
{
    if (pool->endpoint->protocol == BACKEND_H2)
        return http2_open_stream(pool, options);
    return http1_open_stream(pool, options);
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

bool pool_new_tls(struct backend_pool *pool, struct tls_client *tls, struct ssl_st **ret_tls)
{
    const struct endpoint_state *endpoint = pool->endpoint;
    *ret_tls = tls != NULL ? tls_client_new_connection(tls, endpoint->host, &endpoint->address,
                                                       &pool->resumption)
                           : NULL;
    return tls == NULL || *ret_tls != NULL;
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

static void failed_close(struct backend_stream *base)
{
    struct failed_stream *stream = LIST_ENTRY(base, struct failed_stream, base);
    task_cancel(&stream->fail);
    stream->pool->in_flight--;
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
