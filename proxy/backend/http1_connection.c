/*
 * HTTP/1.1 towards an endpoint: one request at a time on a kept-alive connection, answers read by
 * llhttp in strict mode. A connection goes back to the pool only when both messages ended as they
 * should and nothing else was on the wire; otherwise it is closed.
 */
#include "proxy/backend/http1_internal.h"

#include <stdlib.h>

#include "proxy/backend/http1_request.h"
#include "proxy/core/array.h"
#include "proxy/http1/http1_output.h"

/* For the end of what was said in a tunnel, when its owner has gone. */
enum { TUNNEL_FLUSH_MS = 2000 };

/* An endpoint is not waited for longer than for its answer, nor longer than this. */
enum { WITHDRAWN_MS = 60000 };

static struct http1_connection *connection_of(struct backend_stream *stream)
{
    return LIST_ENTRY(stream, struct http1_connection, stream);
}

/* --- closing ------------------------------------------------------------------------------- */

static void run_reap(struct task *task)
{
    struct http1_connection *connection = LIST_ENTRY(task, struct http1_connection, reap);
    tls_client_unref(connection->tls);
    free(connection);
}

/* The endpoint has let go of what was withdrawn, or its time is up. */
static void stop_waiting(struct http1_connection *connection)
{
    if (connection->withdrawn == NULL)
        return;
    connection->withdrawn->awaited--;
    withdrawn_unref(connection->withdrawn);
    connection->withdrawn = NULL;
}

void http1_connection_close(struct http1_connection *connection)
{
    if (connection->state != HTTP1_CLOSED) {
        connection->state = HTTP1_CLOSED;
        deadline_stop(&connection->deadline);
        stop_waiting(connection);
        byte_stream_close(&connection->bytes);
        list_remove(&connection->node);
        pool_connection_closed(connection->pool);
    }
    if (!connection->has_stream)
        task_schedule(&connection->pool->io->loop, &connection->reap);
}

/* Not a byte of the request has left: the endpoint cannot know of it, nor answer it. */
static bool is_unsent(const struct http1_connection *connection)
{
    return connection->bytes.bytes_written == connection->written_before;
}

void http1_fail(struct http1_connection *connection, enum backend_fault fault, bool unprocessed)
{
    unprocessed = unprocessed || is_unsent(connection);
    http1_connection_close(connection);
    if (!connection->has_stream || connection->stream.finished)
        return;
    connection->stream.finished = true;
    bool reused = connection->reused && connection->answer_bytes == 0;
    connection->stream.events->on_failed(connection->stream.owner, fault, unprocessed, reused);
}

/* --- the socket's events ---------------------------------------------------------------------- */

/* What a read brings more than there is room for is one buffer at most. */
static void limit_reads(struct http1_connection *connection)
{
    const struct receive_window *window = &connection->stream.window;
    uint32_t room = window->size > window->held ? window->size - window->held : 0;
    uint32_t count = room / IO_READ_BYTES + 1;
    connection->bytes.read_rooms = count < IO_ROOMS ? (int)count : IO_ROOMS;
}

static void on_bytes(struct byte_stream *bytes, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    if (!connection->has_stream || connection->stream.finished) {
        /* Nobody asked. While the owner still holds a finished stream, remember not to keep it. */
        connection->may_keep = false;
        if (!connection->has_stream && !connection->tunnel)
            http1_connection_close(connection);
        return;
    }
    if (is_unsent(connection)) {
        /* Said before we asked: never the answer to this request (RFC 9112 section 9.2). */
        http1_fail(connection, BACKEND_FAULT_RESET, true);
        return;
    }
    connection->answer_bytes += length;
    if (!connection->head_done)
        connection->head_bytes += length;
    connection->parse_fault = BACKEND_FAULT_MALFORMED;
    connection->read_buffer = buffer;
    bool goes_on = connection->tunnel ? http1_deliver(connection, data, length)
                                      : http1_parse_answer(connection, data, length);
    connection->read_buffer = NULL;
    if (!goes_on)
        return;
    if (!connection->head_done && connection->head_bytes > BACKEND_HEADER_BYTES)
        http1_fail(connection, BACKEND_FAULT_HEADER_LIMIT, false);
    else if (connection->stream.window.held >= connection->stream.window.size)
        byte_stream_pause(bytes);
    else
        limit_reads(connection);
}

void http1_on_end(struct byte_stream *bytes, enum byte_stream_end end)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    if (connection->state == HTTP1_WITHDRAWN) {
        http1_connection_close(connection);
        return;
    }
    if (end == BYTE_STREAM_NO_SOCKET) {
        http1_fail(connection, BACKEND_FAULT_OVERLOAD, true);
        return;
    }
    if (end == BYTE_STREAM_CONNECT_FAILED) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        http1_fail(connection, BACKEND_FAULT_CONNECT, true);
        return;
    }
    if (end == BYTE_STREAM_TLS_FAILED) {
        pool_tls_failed(connection->pool, byte_stream_tls_fault(bytes));
        http1_fail(connection, BACKEND_FAULT_TLS, false);
        return;
    }
    /* The other direction of a tunnel may go on. */
    if (end == BYTE_STREAM_EOF && connection->tunnel) {
        if (connection->has_stream)
            connection->stream.events->on_response_end(connection->stream.owner,
                                                       &connection->builder.head.headers);
        return;
    }
    /* An answer without length ends with the connection (RFC 9112 section 6.3, item 8). */
    if (end == BYTE_STREAM_EOF && connection->has_stream && !connection->stream.finished &&
        http1_answer_ends_with_connection(connection)) {
        connection->may_keep = false;
        http1_finish_answer(connection);
        if (connection->state != HTTP1_CLOSED)
            http1_connection_close(connection);
        return;
    }
    http1_fail(connection, BACKEND_FAULT_RESET, false);
}

/* --- sending the request ------------------------------------------------------------------- */

void http1_on_open(struct byte_stream *bytes)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    deadline_stop(&connection->deadline);
    endpoint_connected(connection->pool->endpoint);
    connection->state = HTTP1_BUSY;
    if (connection->has_stream)
        backend_stream_connected(&connection->stream);
}

/* What was queued has left: the endpoint hears that no more comes. */
static void end_tunnel_output(struct http1_connection *connection)
{
    connection->ends_output = false;
    byte_stream_end_output(&connection->bytes);
    if (!connection->has_stream)
        http1_connection_close(connection);
}

/* Body bytes count as consumed once the output holds less than they are. */
static void on_written(struct byte_stream *bytes)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    size_t waiting = bytes->output.bytes;
    if (waiting == 0 && connection->ends_output)
        end_tunnel_output(connection);
    if (connection->unreported <= waiting || !connection->has_stream)
        return;
    size_t left = connection->unreported - waiting;
    connection->unreported = waiting;
    struct backend_stream *stream = &connection->stream;
    if (!stream->finished)
        stream->events->on_request_consumed(stream->owner, left);
}

static const struct byte_stream_events byte_events = {
    .on_open = http1_on_open,
    .on_bytes = on_bytes,
    .on_written = on_written,
    .on_end = http1_on_end,
};

/* Of a request that is more than a head, and says so. */
static uint64_t known_body_bytes(const struct backend_request *request)
{
    bool is_known = request->has_body && !request->websocket && request->content_length > 0;
    return is_known ? (uint64_t)request->content_length : 0;
}

/*
 * A request whose end is known gathers while there is other work to do, because many short sends
 * cost more than a long one. One without a length may be a stream that somebody listens to.
 */
static void flush_request(struct http1_connection *connection)
{
    if (connection->body_awaited > 0 && connection->bytes.output.bytes < BYTE_STREAM_OUTPUT_BYTES)
        byte_stream_flush_at_leisure(&connection->bytes);
    else
        byte_stream_flush_soon(&connection->bytes);
}

static void send_body(struct backend_stream *stream, struct buffer *source, const char *data,
                      size_t length)
{
    struct http1_connection *connection = connection_of(stream);
    if (connection->state == HTTP1_CLOSED)
        return;
    if (connection->chunked)
        http1_write_chunk(&connection->bytes.output, source, data, length);
    else
        byte_queue_append_slice(&connection->bytes.output, source, data, length);
    connection->unreported += length;
    connection->body_awaited -=
        length < connection->body_awaited ? length : connection->body_awaited;
    flush_request(connection);
}

static void send_end(struct backend_stream *stream, const struct headers *trailers)
{
    struct http1_connection *connection = connection_of(stream);
    connection->request_ended = true;
    if (connection->state == HTTP1_CLOSED)
        return;
    if (connection->tunnel) {
        connection->ends_output = connection->bytes.output.bytes > 0;
        if (!connection->ends_output)
            end_tunnel_output(connection);
    }
    if (!connection->chunked)
        return;
    http1_write_last_chunk(&connection->bytes.output, trailers);
    byte_stream_flush_soon(&connection->bytes);
}

static void consumed(struct backend_stream *stream, size_t length)
{
    struct http1_connection *connection = connection_of(stream);
    receive_window_consumed(&stream->window, length);
    limit_reads(connection);
    if (connection->state == HTTP1_BUSY && connection->bytes.paused &&
        stream->window.held <= stream->window.size / 2)
        byte_stream_resume(&connection->bytes);
}

static void on_deadline(struct deadline *deadline)
{
    struct http1_connection *connection = LIST_ENTRY(deadline, struct http1_connection, deadline);
    if (connection->state == HTTP1_CONNECTING) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        http1_fail(connection, BACKEND_FAULT_CONNECT_TIMEOUT, true);
    } else {
        http1_connection_close(connection);
    }
}

/* Nobody listens any more, but what the owner has said yet is to arrive. */
static bool has_tunnel_to_flush(const struct http1_connection *connection)
{
    return connection->state == HTTP1_BUSY && connection->tunnel && connection->ends_output &&
           !connection->bytes.broken;
}

/* The endpoint has been asked and has not begun to answer: nobody can tell what it does. */
static bool may_be_at_work(const struct http1_connection *connection)
{
    return connection->state == HTTP1_BUSY && !connection->stream.finished && !connection->tunnel &&
           connection->answer_bytes == 0 && !is_unsent(connection) && !connection->bytes.ended &&
           !connection->bytes.broken;
}

/*
 * Says that nothing more comes (which who looks takes for the client's leave), and waits until the
 * endpoint says anything or closes. Then it is closed, so that whoever goes on writing hears of it.
 */
static void wait_until_let_go(struct http1_connection *connection, struct withdrawn *withdrawn)
{
    uint64_t limit_ms = connection->first_byte_ms;
    connection->state = HTTP1_WITHDRAWN;
    connection->withdrawn = withdrawn_ref(withdrawn);
    withdrawn->awaited++;
    byte_queue_clear(&connection->bytes.output);
    byte_stream_end_output(&connection->bytes);
    byte_stream_resume(&connection->bytes);
    deadline_start(&connection->pool->io->loop, &connection->deadline,
                   limit_ms > 0 && limit_ms < WITHDRAWN_MS ? limit_ms : WITHDRAWN_MS);
}

/* Asked for and given up in one turn: nothing was tried yet, the connection is as it was. */
static bool take_back(struct http1_connection *connection)
{
    if (connection->state != HTTP1_BUSY || !is_unsent(connection) || connection->tls != NULL ||
        connection->opened_turn != connection->pool->io->loop.turn || connection->bytes.ended)
        return false;
    byte_queue_clear(&connection->bytes.output);
    return true;
}

/*
 * Back to the pool, but only if both messages are over and nothing else is on the wire, or if
 * nothing has been on it.
 */
static void close_stream(struct backend_stream *stream, struct withdrawn *withdrawn)
{
    struct http1_connection *connection = connection_of(stream);
    bool clean = connection->state == HTTP1_BUSY && connection->message_done &&
                 connection->may_keep && connection->behind_bytes == 0 &&
                 connection->request_ended && !connection->pool->retired &&
                 connection->bytes.output.bytes == 0;
    receive_window_done(&stream->window);
    connection->has_stream = false;
    pool_stream_closed(connection->pool);
    if (has_tunnel_to_flush(connection)) {
        deadline_start(&connection->pool->io->loop, &connection->deadline, TUNNEL_FLUSH_MS);
        return;
    }
    if (withdrawn != NULL && may_be_at_work(connection)) {
        wait_until_let_go(connection, withdrawn);
        return;
    }
    if (!clean && !take_back(connection)) {
        http1_connection_close(connection);
        return;
    }
    connection->state = HTTP1_IDLE;
    connection->idle_turn = connection->pool->io->loop.turn;
    byte_stream_resume(&connection->bytes);
    list_remove(&connection->node);
    list_prepend(&connection->pool->idle, &connection->node);
    deadline_start(&connection->pool->io->loop, &connection->deadline, connection->keep_alive_ms);
}

static bool is_sent(const struct backend_stream *stream)
{
    const struct http1_connection *connection = LIST_ENTRY(stream, struct http1_connection, stream);
    return !is_unsent(connection);
}

static const struct backend_stream_methods stream_methods = {
    .send_body = send_body,
    .send_end = send_end,
    .consumed = consumed,
    .close = close_stream,
    .is_sent = is_sent,
};

struct http1_connection *http1_connection_new(struct backend_pool *pool,
                                              const struct backend_stream_options *options,
                                              size_t bytes, const struct byte_stream_events *events)
{
    struct ssl_st *tls;
    if (!pool_open_connection(pool, options, &tls))
        return NULL;
    struct http1_connection *connection = memory_zalloc(bytes);
    connection->pool = pool;
    connection->tls = tls != NULL ? tls_client_ref(options->tls) : NULL;
    connection->state = HTTP1_CONNECTING;
    list_init(&connection->node);
    task_init(&connection->reap, run_reap);
    deadline_init(&connection->deadline, on_deadline);
    deadline_start(&pool->io->loop, &connection->deadline, (uint64_t)options->timeouts->connect_ms);
    byte_stream_connect_take(&connection->bytes, pool->io, &pool->endpoint->address, tls, events);
    list_append(&pool->connections, &connection->node);
    return connection;
}

bool http1_connection_is_stale(struct http1_connection *connection)
{
    return connection->idle_turn != connection->pool->io->loop.turn &&
           byte_stream_has_input(&connection->bytes);
}

/* Connections that were made under other rules of TLS are of the configuration before. */
static struct http1_connection *take_idle(struct backend_pool *pool, const struct tls_client *tls)
{
    while (!list_is_empty(&pool->idle)) {
        struct http1_connection *connection =
            LIST_ENTRY(pool->idle.next, struct http1_connection, node);
        if (!tls_client_equal(connection->tls, tls) || http1_connection_is_stale(connection)) {
            http1_connection_close(connection);
            continue;
        }
        list_remove(&connection->node);
        list_append(&pool->connections, &connection->node);
        deadline_stop(&connection->deadline);
        connection->state = HTTP1_BUSY;
        connection->reused = true;
        return connection;
    }
    return NULL;
}

struct backend_stream *http1_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options)
{
    struct http1_connection *connection = options->fresh ? NULL : take_idle(pool, options->tls);
    if (connection == NULL)
        connection =
            http1_connection_new(pool, options, sizeof(struct http1_connection), &byte_events);
    if (connection == NULL)
        return NULL;

    stream_init(&connection->stream, pool, &stream_methods, options);
    connection->stream.connecting = connection->state == HTTP1_CONNECTING;
    connection->has_stream = true;
    connection->keep_alive_ms = (uint64_t)options->timeouts->keep_alive_ms;
    connection->first_byte_ms = (uint64_t)options->timeouts->first_byte_ms;
    connection->chunked = http1_request_is_chunked(options->request);
    connection->request_ended = !options->request->has_body;
    connection->unreported = 0;
    connection->written_before = connection->bytes.bytes_written;
    connection->opened_turn = pool->io->loop.turn;
    http1_answer_init(connection);
    limit_reads(connection);
    connection->body_awaited = known_body_bytes(options->request);
    http1_request_write_head(&connection->bytes.output, options->request);
    if (options->at_once && !options->request->has_body)
        byte_stream_flush_now(&connection->bytes);
    else
        flush_request(connection);
    return &connection->stream;
}

bool http1_close_oldest(struct backend_pool *pool)
{
    if (list_is_empty(&pool->idle))
        return false;
    http1_connection_close(LIST_ENTRY(pool->idle.previous, struct http1_connection, node));
    return true;
}

static void close_unused(struct list *connections)
{
    struct list *at = connections->next;
    while (at != connections) {
        struct http1_connection *connection = LIST_ENTRY(at, struct http1_connection, node);
        at = at->next;
        if (!connection->has_stream)
            http1_connection_close(connection);
    }
}

void http1_close_connections(struct backend_pool *pool)
{
    close_unused(&pool->idle);
    close_unused(&pool->connections); /* the end of a tunnel is on its way, or it was withdrawn */
    close_unused(&pool->pipelines);
}
