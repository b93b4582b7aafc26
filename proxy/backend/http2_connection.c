/*
 * HTTP/2 in clear towards an endpoint, with prior knowledge: one connection carries many requests.
 * Its connection window is opened wide and never holds anybody back; each stream's window is, by
 * what its own client consumes. nghttp2 frames, this file joins it to streams and sockets.
 */
#include "proxy/backend/connection.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "proxy/backend/response_builder.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/net/byte_stream.h"

enum {
    CONNECTION_WINDOW_BYTES = (1u << 31) - 1,
    CONNECTIONS_WANTED = 8, /* another connection beyond this only when there is none */
};

struct http2_connection {
    struct byte_stream bytes;
    struct backend_pool *pool;
    struct list node;
    struct deadline deadline; /* connecting, or without streams */
    struct task reap;
    nghttp2_session *session;
    struct list streams;   /* of owners that have not closed theirs */
    uint32_t open_streams; /* known to nghttp2, so also those cancelled but not closed yet */
    uint64_t keep_alive_ms;
    bool connecting;
    bool draining; /* takes no new streams */
    bool served;   /* an answer was completed on it */
    bool closed;
    struct buffer *read_buffer; /* during nghttp2_session_mem_recv */
};

struct http2_backend_stream {
    struct backend_stream base;
    struct http2_connection *connection; /* NULL once nghttp2 has closed the stream */
    struct backend_pool *pool;
    struct list node;
    int32_t id;
    struct byte_queue body;
    const struct headers *trailers; /* the owner's, or NULL */
    bool request_ended;             /* by the owner */
    bool request_sent;              /* END_STREAM is framed */
    bool waits_for_body;            /* nghttp2 deferred it */
    bool answer_started;            /* the final head has come */
    bool reset_received;
    enum backend_fault fault; /* set when the answer broke a bound of ours */
    struct response_builder builder;
};

static struct http2_backend_stream *stream_of(struct backend_stream *base)
{
    return LIST_ENTRY(base, struct http2_backend_stream, base);
}

static struct http2_backend_stream *stream_by_id(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* --- ending streams and connections -------------------------------------------------------- */

static void forget_connection(struct http2_backend_stream *stream)
{
    list_remove(&stream->node);
    stream->connection = NULL;
    byte_queue_clear(&stream->body);
}

static void fail_stream(struct http2_backend_stream *stream, enum backend_fault fault,
                        bool unprocessed, bool reused)
{
    if (stream->base.finished)
        return;
    stream->base.finished = true;
    stream->base.events->on_failed(stream->base.owner, fault, unprocessed, reused);
}

static void run_reap(struct task *task)
{
    struct http2_connection *connection = LIST_ENTRY(task, struct http2_connection, reap);
    nghttp2_session_del(connection->session);
    free(connection);
}

/* Closes the socket; streams still open fail. The memory goes at the end of the turn. */
static void close_connection(struct http2_connection *connection, enum backend_fault fault,
                             bool unprocessed)
{
    if (connection->closed)
        return;
    connection->closed = true;
    deadline_stop(&connection->deadline);
    byte_stream_close(&connection->bytes);
    list_remove(&connection->node);
    connection->pool->connection_count--;
    while (!list_is_empty(&connection->streams)) {
        struct http2_backend_stream *stream =
            LIST_ENTRY(connection->streams.next, struct http2_backend_stream, node);
        nghttp2_session_set_stream_user_data(connection->session, stream->id, NULL);
        forget_connection(stream);
        fail_stream(stream, fault, unprocessed, connection->served && !stream->answer_started);
    }
    task_schedule(&connection->pool->io->loop, &connection->reap);
}

static void close_if_unused(struct http2_connection *connection)
{
    if (connection->closed || connection->open_streams > 0)
        return;
    if (connection->draining)
        close_connection(connection, BACKEND_FAULT_RESET, false);
    else
        deadline_start(&connection->pool->io->loop, &connection->deadline,
                       connection->keep_alive_ms);
}

/* --- events of nghttp2: the answer --------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)user_data;
    struct http2_backend_stream *stream = stream_by_id(session, frame->hd.stream_id);
    if (stream != NULL)
        response_builder_restart(&stream->builder);
    return 0;
}

static int refuse_answer(nghttp2_session *session, struct http2_backend_stream *stream,
                         enum builder_result result)
{
    stream->fault =
        result == BUILDER_TOO_LARGE ? BACKEND_FAULT_HEADER_LIMIT : BACKEND_FAULT_MALFORMED;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_PROTOCOL_ERROR);
    fail_stream(stream, stream->fault, false, false);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    (void)flags, (void)user_data;
    struct http2_backend_stream *stream = stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL || stream->base.finished)
        return 0;
    nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_bytes = nghttp2_rcbuf_get_buf(value);
    struct strview name_view = strview_make((const char *)name_bytes.base, name_bytes.len);
    struct strview value_view = strview_make((const char *)value_bytes.base, value_bytes.len);
    if (strview_equal(name_view, STRVIEW(":status"))) {
        uint64_t status = 0; /* nghttp2 has checked three digits */
        strview_to_u64(value_view, 999, &status);
        stream->builder.head.status = (int)status;
        return 0;
    }
    struct arena *arena = stream->base.arena;
    if (name_view.length + value_view.length > BACKEND_HEADER_BYTES)
        return refuse_answer(session, stream, BUILDER_TOO_LARGE);
    enum builder_result result = response_builder_field(
        &stream->builder, arena, arena_copy(arena, name_view), arena_copy(arena, value_view));
    return result == BUILDER_OK ? 0 : refuse_answer(session, stream, result);
}

static void finish_answer(struct http2_backend_stream *stream)
{
    if (stream->base.finished)
        return;
    stream->base.finished = true;
    stream->connection->served = true;
    stream->base.events->on_response_end(stream->base.owner, &stream->builder.head.headers);
}

static void headers_received(nghttp2_session *session, struct http2_backend_stream *stream,
                             bool ends)
{
    const struct backend_stream_events *events = stream->base.events;
    if (stream->answer_started) { /* trailers */
        finish_answer(stream);
        return;
    }
    enum builder_result result =
        response_builder_head_done(&stream->builder, stream->base.request->method, ends);
    if (result != BUILDER_OK) {
        refuse_answer(session, stream, result);
        return;
    }
    if (stream->builder.head.status < 200) {
        events->on_interim_head(stream->base.owner, &stream->builder.head);
        return;
    }
    stream->answer_started = true;
    events->on_response_head(stream->base.owner, &stream->builder.head);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct http2_connection *connection = user_data;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        connection->draining = true;
        return 0;
    }
    struct http2_backend_stream *stream = stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL || stream->base.finished)
        return 0;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        stream->reset_received = true;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        headers_received(session, stream, ends);
        stream = stream_by_id(session, frame->hd.stream_id); /* the owner may have closed it */
    }
    if (ends && stream != NULL &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
        if (frame->hd.type == NGHTTP2_HEADERS)
            response_builder_restart(&stream->builder); /* no trailers */
        finish_answer(stream);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user_data)
{
    (void)flags;
    struct http2_connection *connection = user_data;
    nghttp2_session_consume_connection(session, length);
    struct http2_backend_stream *stream = stream_by_id(session, id);
    if (stream == NULL || stream->base.finished)
        return 0;
    receive_window_delivered(&stream->base.window, length);
    stream->base.events->on_response_body(stream->base.owner, connection->read_buffer,
                                          (const char *)data, length);
    return 0;
}

static enum backend_fault fault_of_close(const struct http2_backend_stream *stream,
                                         uint32_t error_code)
{
    if (error_code == NGHTTP2_REFUSED_STREAM)
        return BACKEND_FAULT_REFUSED;
    /* An error that the endpoint did not send is nghttp2's verdict about what it sent. */
    if (!stream->reset_received && error_code == NGHTTP2_PROTOCOL_ERROR)
        return BACKEND_FAULT_MALFORMED;
    return BACKEND_FAULT_RESET;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct http2_connection *connection = user_data;
    connection->open_streams--;
    struct http2_backend_stream *stream = stream_by_id(session, id);
    if (stream != NULL) {
        nghttp2_session_set_stream_user_data(session, id, NULL);
        forget_connection(stream);
        enum backend_fault fault = fault_of_close(stream, error_code);
        fail_stream(stream, fault, fault == BACKEND_FAULT_REFUSED, false);
    }
    close_if_unused(connection);
    return 0;
}

/* --- events of nghttp2: the request -------------------------------------------------------- */

static ssize_t send_frame(nghttp2_session *session, const uint8_t *data, size_t length, int flags,
                          void *user_data)
{
    (void)session, (void)flags;
    struct http2_connection *connection = user_data;
    if (connection->closed)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (connection->bytes.output.bytes >= BYTE_STREAM_OUTPUT_BYTES)
        return NGHTTP2_ERR_WOULDBLOCK;
    byte_queue_append(&connection->bytes.output, data, length);
    return (ssize_t)length;
}

/* HTTP/2 carries no framing fields, and names and values as they are (RFC 9113 section 8.2.2). */
static size_t fields_to_nv(const struct headers *headers, nghttp2_nv *nv, size_t count)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        nv[count++] = (nghttp2_nv){
            .name = (uint8_t *)(uintptr_t)field->name.data,
            .namelen = field->name.length,
            .value = (uint8_t *)(uintptr_t)field->value.data,
            .valuelen = field->value.length,
            .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
        };
    }
    return count;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)buffer, (void)source, (void)user_data;
    struct http2_backend_stream *stream = stream_by_id(session, id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t part = length < stream->body.bytes ? length : stream->body.bytes;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (part == stream->body.bytes && stream->request_ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        stream->request_sent = true;
        if (stream->trailers != NULL && stream->trailers->count > 0) {
            nghttp2_nv *nv = arena_alloc(stream->base.arena, stream->trailers->count * sizeof(*nv));
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_submit_trailer(session, id, nv, fields_to_nv(stream->trailers, nv, 0));
        }
        return (ssize_t)part;
    }
    if (part == 0) {
        stream->waits_for_body = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)part;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                     size_t length, nghttp2_data_source *source, void *user_data)
{
    (void)source;
    struct http2_connection *connection = user_data;
    struct byte_queue *output = &connection->bytes.output;
    if (connection->closed)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (output->bytes >= BYTE_STREAM_OUTPUT_BYTES)
        return NGHTTP2_ERR_WOULDBLOCK;
    struct http2_backend_stream *stream = stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    byte_queue_append(output, frame_head, 9);
    byte_queue_move(output, &stream->body, length);
    if (length > 0 && !stream->base.finished)
        stream->base.events->on_request_consumed(stream->base.owner, length);
    return 0;
}

/* --- the session --------------------------------------------------------------------------- */

static nghttp2_session *session_new(struct http2_connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_session *session;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_max_reserved_remote_streams(options, 0);
    CHECK(nghttp2_session_client_new2(&session, callbacks, connection, options) == 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);

    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, RECEIVE_WINDOW_FIRST_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, BACKEND_HEADER_BYTES},
    };
    CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 3) == 0);
    CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                CONNECTION_WINDOW_BYTES) == 0);
    return session;
}

static void on_open(struct byte_stream *bytes)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    connection->connecting = false;
    deadline_stop(&connection->deadline);
    endpoint_connected(connection->pool->endpoint);
    close_if_unused(connection); /* all its streams may have gone meanwhile */
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
        close_connection(connection, BACKEND_FAULT_MALFORMED, false);
        return;
    }
    byte_stream_flush_soon(bytes);
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
        close_connection(connection, BACKEND_FAULT_MALFORMED, false);
}

static void on_end(struct byte_stream *bytes, enum byte_stream_end end)
{
    struct http2_connection *connection = LIST_ENTRY(bytes, struct http2_connection, bytes);
    if (end == BYTE_STREAM_CONNECT_FAILED) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        close_connection(connection, BACKEND_FAULT_CONNECT, true);
        return;
    }
    close_connection(connection, BACKEND_FAULT_RESET, false);
}

static const struct byte_stream_events byte_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_fill = on_fill,
    .on_end = on_end,
};

static void on_deadline(struct deadline *deadline)
{
    struct http2_connection *connection = LIST_ENTRY(deadline, struct http2_connection, deadline);
    if (connection->connecting) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        close_connection(connection, BACKEND_FAULT_CONNECT_TIMEOUT, true);
    } else {
        close_connection(connection, BACKEND_FAULT_RESET, false);
    }
}

/* --- methods of a stream ------------------------------------------------------------------- */

static void wake_body(struct http2_backend_stream *stream)
{
    if (stream->waits_for_body) {
        stream->waits_for_body = false;
        nghttp2_session_resume_data(stream->connection->session, stream->id);
    }
    byte_stream_flush_soon(&stream->connection->bytes);
}

static void send_body(struct backend_stream *base, struct buffer *source, const char *data,
                      size_t length)
{
    struct http2_backend_stream *stream = stream_of(base);
    if (stream->connection == NULL)
        return;
    byte_queue_append_slice(&stream->body, source, data, length);
    wake_body(stream);
}

static void send_end(struct backend_stream *base, const struct headers *trailers)
{
    struct http2_backend_stream *stream = stream_of(base);
    stream->request_ended = true;
    stream->trailers = trailers;
    if (stream->connection != NULL)
        wake_body(stream);
}

static void consumed(struct backend_stream *base, size_t length)
{
    struct http2_backend_stream *stream = stream_of(base);
    bool grew = receive_window_consumed(&base->window, length);
    if (stream->connection == NULL || base->finished)
        return;
    nghttp2_session *session = stream->connection->session;
    nghttp2_session_consume_stream(session, stream->id, length);
    if (grew)
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, stream->id,
                                              (int32_t)base->window.size);
    byte_stream_flush_soon(&stream->connection->bytes);
}

static void close_stream(struct backend_stream *base)
{
    struct http2_backend_stream *stream = stream_of(base);
    struct http2_connection *connection = stream->connection;
    receive_window_done(&base->window);
    stream->pool->in_flight--;
    if (connection != NULL) {
        nghttp2_session_set_stream_user_data(connection->session, stream->id, NULL);
        if (!base->finished || !stream->request_sent) {
            nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream->id,
                                      NGHTTP2_CANCEL);
            byte_stream_flush_soon(&connection->bytes);
        }
        forget_connection(stream);
    }
    byte_queue_done(&stream->body);
    /* Its memory is the owner's arena. */
}

static const struct backend_stream_methods stream_methods = {
    .send_body = send_body,
    .send_end = send_end,
    .consumed = consumed,
    .close = close_stream,
};

/* --- opening ------------------------------------------------------------------------------- */

static struct http2_connection *connect_new(struct backend_pool *pool,
                                            const struct timeouts *timeouts)
{
    struct http2_connection *connection = memory_zalloc(sizeof(*connection));
    connection->pool = pool;
    connection->connecting = true;
    connection->keep_alive_ms = (uint64_t)timeouts->keep_alive_ms;
    list_init(&connection->node);
    list_init(&connection->streams);
    task_init(&connection->reap, run_reap);
    deadline_init(&connection->deadline, on_deadline);
    deadline_start(&pool->io->loop, &connection->deadline, (uint64_t)timeouts->connect_ms);
    connection->session = session_new(connection);
    byte_stream_connect(&connection->bytes, pool->io, &pool->endpoint->address, &byte_events);
    list_append(&pool->connections, &connection->node);
    pool->connection_count++;
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
static struct http2_connection *pick_connection(struct backend_pool *pool,
                                                const struct timeouts *timeouts)
{
    struct http2_connection *least = NULL;
    for (struct list *at = pool->connections.next; at != &pool->connections; at = at->next) {
        struct http2_connection *connection = LIST_ENTRY(at, struct http2_connection, node);
        if (!is_usable(connection))
            continue;
        if (has_room(connection))
            return connection;
        if (least == NULL || connection->open_streams < least->open_streams)
            least = connection;
    }
    if (least == NULL || pool->connection_count < CONNECTIONS_WANTED)
        return connect_new(pool, timeouts);
    return least;
}

static size_t request_to_nv(const struct backend_request *request, struct arena *arena,
                            nghttp2_nv *nv)
{
    struct strview path = request->path;
    if (request->query.length > 0)
        path = arena_printf(arena, "%.*s%.*s", STRVIEW_ARGS(request->path),
                            STRVIEW_ARGS(request->query));
    const struct header_field pseudo[] = {
        {.name = STRVIEW(":method"), .value = request->method_text},
        {.name = STRVIEW(":scheme"), .value = request->scheme},
        {.name = STRVIEW(":authority"), .value = request->authority},
        {.name = STRVIEW(":path"), .value = path},
    };
    struct headers first = {.fields = (struct header_field *)(uintptr_t)pseudo, .count = 4};
    size_t count = fields_to_nv(&first, nv, 0);
    if (request->content_length != CONTENT_LENGTH_UNKNOWN) {
        struct strview length = arena_printf(arena, "%lld", (long long)request->content_length);
        struct header_field field = {.name = STRVIEW("content-length"), .value = length};
        struct headers one = {.fields = &field, .count = 1};
        count = fields_to_nv(&one, nv, count);
    }
    return fields_to_nv(request->headers, nv, count);
}

static bool submit(struct http2_connection *connection, struct http2_backend_stream *stream)
{
    const struct backend_request *request = stream->base.request;
    struct arena *arena = stream->base.arena;
    nghttp2_nv *nv = arena_alloc(arena, (request->headers->count + 5) * sizeof(*nv));
    size_t count = request_to_nv(request, arena, nv);
    nghttp2_data_provider body = {.read_callback = read_body};
    stream->id = nghttp2_submit_request(connection->session, NULL, nv, count,
                                        request->has_body ? &body : NULL, stream);
    return stream->id > 0;
}

struct backend_stream *http2_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options)
{
    struct http2_connection *connection = pick_connection(pool, options->timeouts);
    struct http2_backend_stream *stream = arena_zalloc(options->arena, sizeof(*stream));
    stream_init(&stream->base, pool, &stream_methods, options);
    stream->pool = pool;
    list_init(&stream->node);
    byte_queue_init(&stream->body, &pool->io->buffers);
    response_builder_init(&stream->builder);
    stream->request_ended = stream->request_sent = !options->request->has_body;
    if (!submit(connection, stream)) {
        receive_window_done(&stream->base.window);
        pool->in_flight--;
        connection->draining = true; /* its stream ids are used up */
        return failed_stream_open(pool, options, BACKEND_FAULT_OVERLOAD);
    }
    stream->connection = connection;
    list_append(&connection->streams, &stream->node);
    connection->open_streams++;
    if (!connection->connecting)
        deadline_stop(&connection->deadline);
    byte_stream_flush_soon(&connection->bytes);
    return &stream->base;
}

void http2_close_connections(struct backend_pool *pool)
{
    struct list *at = pool->connections.next;
    while (at != &pool->connections) {
        struct http2_connection *connection = LIST_ENTRY(at, struct http2_connection, node);
        at = at->next;
        connection->draining = true;
        if (list_is_empty(&connection->streams))
            close_connection(connection, BACKEND_FAULT_RESET, false);
    }
}
