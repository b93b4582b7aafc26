/*
 * Several requests on one HTTP/1.1 connection, and their answers in the same order (RFC 9112
 * section 9.3.2). The connection is as all others, but its own stream stands for whichever of them
 * the answer under way belongs to. As soon as that cannot be known for sure the connection is
 * closed, and all that wait have failed: no answer is ever taken for another's.
 */
#include "proxy/backend/http1_internal.h"

#include <inttypes.h>

#include "proxy/backend/http1_request.h"
#include "proxy/core/log.h"

/* Nobody wants the rest of an answer: so much of it is read for those that wait behind it. */
enum {
    DROPPED_BYTES_MAX = 1024 * 1024,
    LENGTH_LEAST = 64, /* of a connection: of fewer requests it is of no use */
};

/* Freed with its connection, which it begins with; that is among its pool's pipelines. */
struct http1_pipeline {
    struct http1_connection connection;
    struct list waiting; /* streams whose answers have not ended, in the order of their requests */
    uint32_t waiting_count;
    uint32_t open_count; /* streams that have not been closed */
    uint32_t asked;      /* requests since it was opened */
    bool drops;          /* the answer under way is of a stream that was closed */
};

/* In its owner's arena. */
struct pipelined_stream {
    struct backend_stream base;
    struct http1_pipeline *pipeline;
    struct list node;   /* in `waiting` */
    uint64_t begins_at; /* its request, among all that the connection writes */
};

static struct http1_pipeline *pipeline_of(struct http1_connection *connection)
{
    return LIST_ENTRY(connection, struct http1_pipeline, connection);
}

static struct pipelined_stream *stream_of(struct backend_stream *base)
{
    return LIST_ENTRY(base, struct pipelined_stream, base);
}

static struct pipelined_stream *first_waiting(const struct http1_pipeline *pipeline)
{
    return LIST_ENTRY(pipeline->waiting.next, struct pipelined_stream, node);
}

static bool nobody_waits(const struct http1_pipeline *pipeline)
{
    return list_is_empty(&pipeline->waiting);
}

static bool is_sent(const struct backend_stream *base)
{
    const struct pipelined_stream *stream = LIST_ENTRY(base, struct pipelined_stream, base);
    return stream->pipeline->connection.bytes.bytes_written > stream->begins_at;
}

/* Its answer has ended, or never will. */
static void finish(struct pipelined_stream *stream)
{
    list_remove(&stream->node);
    stream->pipeline->waiting_count--;
    stream->base.finished = true;
}

static void fail_all(struct http1_pipeline *pipeline, enum backend_fault fault, bool unprocessed,
                     bool reused)
{
    while (!nobody_waits(pipeline)) {
        struct backend_stream *stream = &first_waiting(pipeline)->base;
        finish(stream_of(stream));
        stream->events->on_failed(stream->owner, fault, unprocessed || !is_sent(stream), reused);
    }
}

static void give_up(struct http1_pipeline *pipeline)
{
    pipeline->connection.stream.finished = true;
    http1_connection_close(&pipeline->connection);
    fail_all(pipeline, BACKEND_FAULT_RESET, false, false);
}

/* --- the answers ----------------------------------------------------------------------------- */

/* The one that comes next is for the first that waits. */
static void expect_answer(struct http1_pipeline *pipeline)
{
    struct http1_connection *connection = &pipeline->connection;
    const struct pipelined_stream *first = first_waiting(pipeline);
    http1_answer_init(connection);
    connection->stream.arena = first->base.arena;
    connection->stream.request = first->base.request;
    connection->stream.finished = false;
    connection->written_before = first->begins_at;
}

/* Nobody has asked yet (RFC 9112 section 9.2). */
static bool is_unasked(const struct http1_pipeline *pipeline)
{
    if (pipeline->drops)
        return false;
    return nobody_waits(pipeline) || !is_sent(&first_waiting(pipeline)->base);
}

/* Returns how many bytes stand behind the answer; 0 as well when it has not ended. */
static size_t read_answer(struct http1_pipeline *pipeline, const char *data, size_t length)
{
    struct http1_connection *connection = &pipeline->connection;
    if (is_unasked(pipeline)) {
        give_up(pipeline);
        return 0;
    }
    connection->answer_bytes += length;
    if (!connection->head_done)
        connection->head_bytes += length;
    connection->parse_fault = BACKEND_FAULT_MALFORMED;
    bool goes_on = http1_parse_answer(connection, data, length);
    if (goes_on && !connection->head_done && connection->head_bytes > BACKEND_HEADER_BYTES)
        http1_fail(connection, BACKEND_FAULT_HEADER_LIMIT, false);
    if (goes_on || connection->state == HTTP1_CLOSED)
        return 0;
    if (!nobody_waits(pipeline))
        expect_answer(pipeline);
    return connection->behind_bytes;
}

static void on_bytes(struct byte_stream *bytes, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    const char *end = data + length;
    connection->read_buffer = buffer;
    for (size_t left = length; left > 0;)
        left = read_answer(pipeline_of(connection), end - left, left);
    connection->read_buffer = NULL;
}

static const struct byte_stream_events byte_events = {
    .on_open = http1_on_open,
    .on_bytes = on_bytes,
    .on_end = http1_on_end,
};

/* --- what the connection tells of its stream ---------------------------------------------------
 */

static void on_connected(void *owner)
{
    struct http1_pipeline *pipeline = owner;
    struct list *waiting = &pipeline->waiting;
    for (struct list *at = waiting->next; at != waiting; at = at->next)
        backend_stream_connected(&LIST_ENTRY(at, struct pipelined_stream, node)->base);
}

static void on_interim_head(void *owner, const struct response_head *head)
{
    struct backend_stream *stream = &first_waiting(owner)->base;
    stream->events->on_interim_head(stream->owner, head);
}

static void on_response_head(void *owner, const struct response_head *head)
{
    struct backend_stream *stream = &first_waiting(owner)->base;
    stream->events->on_response_head(stream->owner, head);
}

static void on_response_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct http1_pipeline *pipeline = owner;
    pipeline->connection.stream.window.held = 0; /* taken as it comes */
    if (pipeline->drops)
        return;
    struct backend_stream *stream = &first_waiting(pipeline)->base;
    stream->events->on_response_body(stream->owner, buffer, data, length);
}

/* What llhttp has read may be of HTTP/1.0, which promises nothing about pipelines. */
static bool is_http11(const struct http1_connection *connection)
{
    return connection->reader == HTTP1_READER_COUNT || connection->parser.http_minor == 1;
}

/*
 * An answer was the last. Some servers end each connection after so many: then none gets more of
 * ours, and nobody waits behind the last. Where they are few, pipelines are of no use.
 */
static void learn_length(const struct http1_pipeline *pipeline)
{
    struct backend_pool *pool = pipeline->connection.pool;
    const struct endpoint_state *endpoint = pool->endpoint;
    uint32_t answered = pipeline->asked - pipeline->waiting_count;
    bool is_long = answered >= LENGTH_LEAST && is_http11(&pipeline->connection);
    uint32_t length = is_long ? answered : 0;
    if (length >= pool->pipeline_length)
        return;
    pool->pipeline_length = length;
    log_info("backend %.*s, endpoint %.*s: its answer number %" PRIu32 " closes a connection on "
             "which copies are pipelined; from now on %s",
             STRVIEW_ARGS(endpoint->backend_name), STRVIEW_ARGS(endpoint->address_text), answered,
             is_long ? "each gets no more than that" : "they are sent there one at a time");
}

static void on_response_end(void *owner, const struct headers *trailers)
{
    struct http1_pipeline *pipeline = owner;
    if (!pipeline->drops) {
        struct backend_stream *stream = &first_waiting(pipeline)->base;
        finish(stream_of(stream));
        stream->events->on_response_end(stream->owner, trailers);
    }
    pipeline->drops = false;
    if (pipeline->connection.may_keep && is_http11(&pipeline->connection))
        return;
    learn_length(pipeline);
    give_up(pipeline);
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    fail_all(owner, fault, unprocessed, reused);
}

static const struct backend_stream_events answer_events = {
    .on_connected = on_connected,
    .on_interim_head = on_interim_head,
    .on_response_head = on_response_head,
    .on_response_body = on_response_body,
    .on_response_end = on_response_end,
    .on_failed = on_failed,
};

/* --- the streams ----------------------------------------------------------------------------- */

static void send_body(struct backend_stream *base, struct buffer *source, const char *data,
                      size_t length)
{
    (void)base, (void)source, (void)data, (void)length; /* there is none */
}

static void send_end(struct backend_stream *base, const struct headers *trailers)
{
    (void)base, (void)trailers;
}

static void consumed(struct backend_stream *base, size_t length)
{
    (void)base, (void)length;
}

static void rest(struct http1_connection *connection)
{
    struct backend_pool *pool = connection->pool;
    if (connection->state == HTTP1_CLOSED || pool->retired ||
        pipeline_of(connection)->asked >= pool->pipeline_length) {
        http1_connection_close(connection);
        return;
    }
    connection->state = HTTP1_IDLE;
    connection->idle_turn = pool->io->loop.turn;
    deadline_start(&pool->io->loop, &connection->deadline, connection->keep_alive_ms);
}

/* The stream's answer is under way, the rest of it can be counted, and others wait for that. */
static bool can_drop_rest(const struct pipelined_stream *stream)
{
    const struct http1_pipeline *pipeline = stream->pipeline;
    const struct http1_connection *connection = &pipeline->connection;
    return stream == first_waiting(pipeline) && !pipeline->drops && pipeline->waiting_count > 1 &&
           connection->reader == HTTP1_READER_COUNT && connection->head_done &&
           connection->body_left <= DROPPED_BYTES_MAX;
}

/* An answer that is to come, or whose end has to be found, is not waited for: nobody would know
 * how long that may take. */
static void close_stream(struct backend_stream *base, struct withdrawn *withdrawn)
{
    struct http1_pipeline *pipeline = stream_of(base)->pipeline;
    struct http1_connection *connection = &pipeline->connection;
    bool drops_rest = !base->finished && can_drop_rest(stream_of(base));
    (void)withdrawn;
    receive_window_done(&base->window);
    pool_stream_closed(connection->pool);
    connection->has_stream = --pipeline->open_count > 0;
    if (drops_rest) {
        finish(stream_of(base));
        pipeline->drops = true;
    } else if (!base->finished) {
        finish(stream_of(base));
        give_up(pipeline);
    } else if (!connection->has_stream) {
        rest(connection);
    }
}

static const struct backend_stream_methods stream_methods = {
    .send_body = send_body,
    .send_end = send_end,
    .consumed = consumed,
    .close = close_stream,
    .is_sent = is_sent,
};

/* --- the connections ------------------------------------------------------------------------- */

static struct http1_pipeline *pipeline_new(struct backend_pool *pool,
                                           const struct backend_stream_options *options)
{
    struct http1_connection *connection =
        http1_connection_new(pool, options, sizeof(struct http1_pipeline), &byte_events);
    if (connection == NULL)
        return NULL;
    struct http1_pipeline *pipeline = pipeline_of(connection);
    list_remove(&connection->node);
    list_append(&pool->pipelines, &connection->node);
    list_init(&pipeline->waiting);
    connection->request_ended = true;
    connection->stream.events = &answer_events;
    connection->stream.owner = pipeline;
    receive_window_init(&connection->stream.window, pool->budget);
    return pipeline;
}

/* One without requests, or only with those of this turn: who is slow makes few others wait. */
static bool has_room(const struct http1_pipeline *pipeline,
                     const struct backend_stream_options *options, uint32_t depth)
{
    const struct http1_connection *connection = &pipeline->connection;
    return tls_client_equal(connection->tls, options->tls) && pipeline->waiting_count < depth &&
           pipeline->asked < connection->pool->pipeline_length &&
           (nobody_waits(pipeline) || connection->opened_turn == connection->pool->io->loop.turn);
}

static struct http1_pipeline *
find_room(struct backend_pool *pool, const struct backend_stream_options *options, uint32_t depth)
{
    struct list *at = pool->pipelines.next;
    while (at != &pool->pipelines) {
        struct http1_connection *connection = LIST_ENTRY(at, struct http1_connection, node);
        at = at->next;
        if (!has_room(pipeline_of(connection), options, depth))
            continue;
        if (connection->state != HTTP1_IDLE || !http1_connection_is_stale(connection))
            return pipeline_of(connection);
        http1_connection_close(connection);
    }
    return NULL;
}

static void wait_for_answer(struct pipelined_stream *stream)
{
    struct http1_pipeline *pipeline = stream->pipeline;
    bool is_first = nobody_waits(pipeline);
    list_append(&pipeline->waiting, &stream->node);
    pipeline->waiting_count++;
    pipeline->open_count++;
    pipeline->asked++;
    pipeline->connection.has_stream = true;
    if (is_first)
        expect_answer(pipeline);
}

struct backend_stream *http1_open_pipelined(struct backend_pool *pool,
                                            const struct backend_stream_options *options,
                                            uint32_t depth)
{
    struct http1_pipeline *pipeline = find_room(pool, options, depth);
    if (pipeline == NULL)
        pipeline = pipeline_new(pool, options);
    if (pipeline == NULL)
        return NULL;

    struct http1_connection *connection = &pipeline->connection;
    struct byte_queue *output = &connection->bytes.output;
    struct pipelined_stream *stream = arena_alloc(options->arena, sizeof(*stream));
    stream_init(&stream->base, pool, &stream_methods, options);
    stream->base.connecting = connection->state == HTTP1_CONNECTING;
    stream->pipeline = pipeline;
    stream->begins_at = connection->bytes.bytes_written + output->bytes;
    if (connection->state == HTTP1_IDLE) {
        connection->state = HTTP1_BUSY;
        connection->reused = true;
        deadline_stop(&connection->deadline);
    }
    connection->keep_alive_ms = (uint64_t)options->timeouts->keep_alive_ms;
    connection->opened_turn = pool->io->loop.turn;
    wait_for_answer(stream);
    http1_request_write_head(output, options->request);
    byte_stream_flush_soon(&connection->bytes);
    return &stream->base;
}
