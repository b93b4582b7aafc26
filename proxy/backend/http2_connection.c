/*
 * HTTP/2 towards an endpoint, by ALPN or in clear with prior knowledge: one connection carries many
 * requests.
 * Its connection window is opened wide and never holds anybody back; each stream's window is, by
 * what its own client consumes. nghttp2 frames, these files join it to streams and sockets.
 */
#include "proxy/backend/http2_internal.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/http2/http2_extensions.h"

enum {
    CONNECTION_WINDOW_BYTES = (1u << 31) - 1,
    CONNECTIONS_WANTED = 8, /* another connection beyond this only when there is none */
};

/* --- ending ---------------------------------------------------------------------------------- */

static void run_reap(struct task *task)
{
    struct http2_connection *connection = LIST_ENTRY(task, struct http2_connection, reap);
    http2_head_forget(connection);
    nghttp2_session_del(connection->session);
    tls_client_unref(connection->tls);
    byte_queue_done(&connection->held);
    free(connection);
}

void http2_connection_close(struct http2_connection *connection, enum backend_fault fault,
                            bool unprocessed)
{
    if (connection->closed)
        return;
    connection->closed = true;
    deadline_stop(&connection->deadline);
    byte_stream_close(&connection->bytes);
    list_remove(&connection->node);
    pool_connection_closed(connection->pool);
    while (!list_is_empty(&connection->streams)) {
        struct http2_backend_stream *stream =
            LIST_ENTRY(connection->streams.next, struct http2_backend_stream, node);
        http2_stream_forget_connection(stream);
        http2_stream_fail(stream, fault, unprocessed,
                          connection->served && !stream->answer_started);
    }
    task_schedule(&connection->pool->io->loop, &connection->reap);
}

void http2_connection_rest(struct http2_connection *connection)
{
    if (connection->closed || connection->open_streams > 0)
        return;
    if (connection->draining)
        http2_connection_close(connection, BACKEND_FAULT_RESET, false);
    else
        deadline_start(&connection->pool->io->loop, &connection->deadline,
                       connection->keep_alive_ms);
}

/* --- the session --------------------------------------------------------------------------- */

static bool say_settings(nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, RECEIVE_WINDOW_FIRST_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, BACKEND_HEADER_BYTES},
    };
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 3) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW_BYTES) == 0;
}

/* NULL when memory is out. */
static nghttp2_session *session_new(struct http2_connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    if (nghttp2_option_new(&options) != 0) {
        nghttp2_session_callbacks_del(callbacks);
        return NULL;
    }
    http2_answer_set_callbacks(callbacks);
    http2_stream_set_callbacks(callbacks);
    http2_extensions_show(callbacks, options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_send_header_block_length(options, HTTP2_HEADER_BLOCK_BYTES);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_no_http_messaging(options, 1); /* http2_head.c does it, once */
    nghttp2_option_set_max_reserved_remote_streams(options, 0);
    nghttp2_mem memory = http2_memory_init(&connection->memory, &connection->pool->io->blocks);
    if (nghttp2_session_client_new3(&session, callbacks, connection, options, &memory) != 0)
        session = NULL;
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    if (session != NULL && !say_settings(session)) {
        nghttp2_session_del(session);
        return NULL;
    }
    return session;
}

static void on_open(struct byte_stream *bytes)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    if (connection->tls != NULL && !byte_stream_speaks(bytes, STRVIEW("h2"))) {
        pool_tls_failed(connection->pool, "the endpoint does not speak h2");
        http2_connection_close(connection, BACKEND_FAULT_TLS, true);
        return;
    }
    connection->connecting = false;
    deadline_stop(&connection->deadline);
    endpoint_connected(connection->pool->endpoint);
    struct list *streams = &connection->streams;
    for (struct list *at = streams->next; at != streams; at = at->next)
        backend_stream_connected(&LIST_ENTRY(at, struct http2_backend_stream, node)->base);
    http2_connection_rest(connection); /* all its streams may have gone meanwhile */
}

/* An endpoint that floods and does not read is not read from, either. */
static void balance_input(struct http2_connection *connection)
{
    if (http2_output_is_stuck(connection->session, &connection->bytes.output))
        byte_stream_pause(&connection->bytes);
    else
        byte_stream_resume(&connection->bytes);
}

static void on_written(struct byte_stream *bytes)
{
    balance_input(LIST_ENTRY(bytes, struct http2_connection, bytes));
}

static void on_bytes(struct byte_stream *bytes, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    connection->read_buffer = buffer;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, (const uint8_t *)data, length);
    connection->read_buffer = NULL;
    if (connection->closed)
        return;
    if (taken < 0) {
        http2_connection_close(connection, BACKEND_FAULT_MALFORMED, false);
        return;
    }
    byte_stream_flush_soon(bytes);
    balance_input(connection);
}

static void on_fill(struct byte_stream *bytes)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    int result = nghttp2_session_send(connection->session);
    if (connection->closed)
        return;
    bool over = !nghttp2_session_want_read(connection->session) &&
                !nghttp2_session_want_write(connection->session);
    if (result != 0 || (over && bytes->output.bytes == 0))
        http2_connection_close(connection, BACKEND_FAULT_MALFORMED, false);
}

static void on_end(struct byte_stream *bytes, enum byte_stream_end end)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    if (end == BYTE_STREAM_NO_SOCKET) {
        http2_connection_close(connection, BACKEND_FAULT_OVERLOAD, true);
        return;
    }
    if (end == BYTE_STREAM_CONNECT_FAILED) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        http2_connection_close(connection, BACKEND_FAULT_CONNECT, true);
        return;
    }
    if (end == BYTE_STREAM_TLS_FAILED) {
        pool_tls_failed(connection->pool, byte_stream_tls_fault(bytes));
        http2_connection_close(connection, BACKEND_FAULT_TLS, connection->connecting);
        return;
    }
    http2_connection_close(connection, BACKEND_FAULT_RESET, false);
}

static const struct byte_stream_events byte_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_fill = on_fill,
    .on_written = on_written,
    .on_end = on_end,
};

static void on_deadline(struct deadline *deadline)
{
    struct http2_connection *connection = LIST_ENTRY(deadline, struct http2_connection, deadline);
    if (connection->connecting) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        http2_connection_close(connection, BACKEND_FAULT_CONNECT_TIMEOUT, true);
    } else {
        http2_connection_close(connection, BACKEND_FAULT_RESET, false);
    }
}

/* --- opening and choosing --------------------------------------------------------------------- */

/* NULL when there may be no more of them, or no memory is left for one. */
static struct http2_connection *connect_new(struct backend_pool *pool,
                                            const struct backend_stream_options *options)
{
    const struct timeouts *timeouts = options->timeouts;
    struct ssl_st *tls;
    if (!pool_open_connection(pool, options, &tls))
        return NULL;
    struct http2_connection *connection = memory_zalloc(sizeof(*connection));
    connection->pool = pool;
    connection->session = session_new(connection);
    if (connection->session == NULL) {
        free(connection);
        tls_client_free_connection(tls);
        pool_connection_closed(pool);
        return NULL;
    }
    connection->tls = tls != NULL ? tls_client_ref(options->tls) : NULL;
    connection->connecting = true;
    byte_queue_init(&connection->held, &pool->io->buffers);
    hpack_encoder_init(&connection->encoder);
    connection->keep_alive_ms = (uint64_t)timeouts->keep_alive_ms;
    list_init(&connection->node);
    list_init(&connection->streams);
    task_init(&connection->reap, run_reap);
    deadline_init(&connection->deadline, on_deadline);
    deadline_start(&pool->io->loop, &connection->deadline, (uint64_t)timeouts->connect_ms);
    byte_stream_connect_take(&connection->bytes, pool->io, &pool->endpoint->address, tls,
                             &byte_events);
    connection->bytes.read_rooms = IO_ROOMS;
    list_append(&pool->connections, &connection->node);
    return connection;
}

static bool is_usable(const struct http2_connection *connection)
{
    return !connection->draining && nghttp2_session_check_request_allowed(connection->session);
}

static bool has_room(const struct http2_connection *connection)
{
    return connection->open_streams <
           nghttp2_session_get_remote_settings(connection->session,
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

/* The first connection with room; else a new one; with enough of them, the least used one, where
 * nghttp2 holds the request back until a stream ends. */
struct http2_connection *http2_pick_connection(struct backend_pool *pool,
                                               const struct backend_stream_options *options)
{
    struct http2_connection *least = NULL;
    for (struct list *at = pool->connections.next; at != &pool->connections; at = at->next) {
        struct http2_connection *connection = LIST_ENTRY(at, struct http2_connection, node);
        if (!tls_client_equal(connection->tls, options->tls))
            connection->draining = true; /* made under the rules of the configuration before */
        if (!is_usable(connection))
            continue;
        if (has_room(connection))
            return connection;
        if (least == NULL || connection->open_streams < least->open_streams)
            least = connection;
    }
    if (least != NULL && pool->connection_count >= CONNECTIONS_WANTED)
        return least;
    struct http2_connection *connection = connect_new(pool, options);
    return connection != NULL ? connection : least;
}

void http2_close_connections(struct backend_pool *pool)
{
    struct list *at = pool->connections.next;
    while (at != &pool->connections) {
        struct http2_connection *connection = LIST_ENTRY(at, struct http2_connection, node);
        at = at->next;
        connection->draining = true;
        if (list_is_empty(&connection->streams))
            http2_connection_close(connection, BACKEND_FAULT_RESET, false);
    }
}
