/* What the owner of a stream does with it on an h2 connection, and the frames that come of it. */
#include "proxy/backend/http2_internal.h"

enum { SILENCE_MS = 1000, CONSUMED_STEP_BYTES = RECEIVE_WINDOW_FIRST_BYTES / 8 };

static struct http2_backend_stream *stream_of(struct backend_stream *base)
{
    return LIST_ENTRY(base, struct http2_backend_stream, base);
}

/* --- ending ---------------------------------------------------------------------------------- */

/* nghttp2 opens a stream when its request leaves the queue, for which there may be no room yet. */
static bool is_sent(const struct backend_stream *base)
{
    const struct http2_backend_stream *stream = LIST_ENTRY(base, struct http2_backend_stream, base);
    const struct http2_connection *connection = stream->connection;
    if (connection == NULL)
        return stream->was_sent;
    return !connection->connecting &&
           nghttp2_session_get_stream_local_close(connection->session, stream->id) >= 0;
}

void http2_stream_forget_connection(struct http2_backend_stream *stream)
{
    struct http2_connection *connection = stream->connection;
    stream->was_sent = stream->answer_started || is_sent(&stream->base);
    list_remove(&stream->node);
    nghttp2_session_set_stream_user_data(connection->session, stream->id, NULL);
    connection->last_stream = NULL;
    connection->gone_id = stream->id;
    stream->connection = NULL;
    byte_queue_clear(&stream->body.queue);
}

void http2_stream_fail(struct http2_backend_stream *stream, enum backend_fault fault,
                       bool unprocessed, bool reused)
{
    if (stream->base.finished)
        return;
    stream->base.finished = true;
    /* What an endpoint has begun to answer it has acted on, though it may deny that later. */
    stream->base.events->on_failed(stream->base.owner, fault,
                                   unprocessed && !stream->answer_started, reused);
}

/* --- events of nghttp2: the request -------------------------------------------------------- */

/* What nghttp2 made of no fields at all: the head of a request. */
static ssize_t send_head(struct http2_connection *connection, struct http2_backend_stream *stream,
                         size_t length)
{
    struct byte_queue *output = &connection->bytes.output;
    bool has_room = output->bytes < BYTE_STREAM_OUTPUT_BYTES;
    if (connection->held.bytes == 0) { /* else the stream may be gone by now */
        http2_request_append(stream, &connection->encoder, has_room ? output : &connection->held);
        stream->head_is_made = true;
    } else if (has_room) {
        byte_queue_move(output, &connection->held, connection->held.bytes);
    }
    return has_room ? (ssize_t)length : NGHTTP2_ERR_WOULDBLOCK;
}

static struct http2_backend_stream *stream_without_head(struct http2_connection *connection,
                                                        const uint8_t *frame, size_t length)
{
    if (length < IO_FRAME_HEAD_BYTES || frame[3] != NGHTTP2_HEADERS)
        return NULL;
    uint32_t id =
        (uint32_t)frame[5] << 24 | (uint32_t)frame[6] << 16 | (uint32_t)frame[7] << 8 | frame[8];
    struct http2_backend_stream *stream = http2_stream_by_id(connection, (int32_t)id);
    return stream != NULL && !stream->head_is_made ? stream : NULL;
}

static ssize_t send_frame(nghttp2_session *session, const uint8_t *data, size_t length, int flags,
                          void *user_data)
{
    (void)session, (void)flags;
    struct http2_connection *connection = user_data;
    if (connection->closed)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    struct http2_backend_stream *stream = stream_without_head(connection, data, length);
    if (stream != NULL || connection->held.bytes > 0)
        return send_head(connection, stream, length);
    return http2_output_frame(&connection->bytes.output, data, length);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)buffer, (void)source;
    struct http2_backend_stream *stream = http2_stream_by_id(user_data, id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    length = http2_body_frame_bytes(&stream->body, &stream->connection->bytes, length);
    return http2_body_read(&stream->body, session, id, length, flags);
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                     size_t length, nghttp2_data_source *source, void *user_data)
{
    (void)session, (void)source;
    struct http2_connection *connection = user_data;
    if (connection->closed)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    struct http2_backend_stream *stream = http2_stream_by_id(connection, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    int result = http2_output_data(&connection->bytes.output, &stream->body, frame_head, length);
    if (length > 0)
        connection->idle_frames = 0;
    if (result == 0 && length > 0 && !stream->base.finished)
        stream->base.events->on_request_consumed(stream->base.owner, length);
    return result;
}

void http2_stream_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_callback(callbacks, send_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
}

/* --- methods of a stream ------------------------------------------------------------------- */

static void send_body(struct backend_stream *base, struct buffer *source, const char *data,
                      size_t length)
{
    struct http2_backend_stream *stream = stream_of(base);
    if (stream->connection == NULL)
        return;
    http2_body_append(&stream->body, stream->connection->session, stream->id, source, data, length);
    byte_stream_flush_soon(&stream->connection->bytes);
}

static void send_end(struct backend_stream *base, const struct headers *trailers)
{
    struct http2_backend_stream *stream = stream_of(base);
    if (stream->connection == NULL)
        return;
    http2_body_end(&stream->body, stream->connection->session, stream->id, trailers);
    byte_stream_flush_soon(&stream->connection->bytes);
}

static void consumed(struct backend_stream *base, size_t length)
{
    struct http2_backend_stream *stream = stream_of(base);
    bool grew = receive_window_consumed(&base->window, length);
    if (stream->connection == NULL || base->finished)
        return;
    stream->unreported += length;
    if (!grew && stream->unreported < CONSUMED_STEP_BYTES)
        return; /* of a short answer, all: nobody waits for it */
    nghttp2_session *session = stream->connection->session;
    nghttp2_session_consume_stream(session, stream->id, stream->unreported);
    stream->unreported = 0;
    if (grew)
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, stream->id,
                                              (int32_t)base->window.size);
    byte_stream_flush_soon(&stream->connection->bytes);
}

/*
 * An owner that gives up after a time in which not one byte came, on any stream, may have waited
 * for a connection that died without a word. What is open on it may go on, but nothing new goes
 * there.
 */
static void doubt_silent_connection(struct http2_backend_stream *stream)
{
    struct http2_connection *connection = stream->connection;
    uint64_t waited_ms = stream->pool->io->loop.now_ms - stream->opened_ms;
    if (!stream->base.finished && waited_ms >= stream->silence_ms &&
        connection->bytes.bytes_read == stream->read_before)
        connection->draining = true;
}

static void close_stream(struct backend_stream *base, struct withdrawn *withdrawn)
{
    struct http2_backend_stream *stream = stream_of(base);
    struct http2_connection *connection = stream->connection;
    if (withdrawn != NULL && !base->finished && !stream->answer_started && is_sent(base))
        withdrawn_note(withdrawn, stream->pool->io->loop.now_ms);
    receive_window_done(&base->window);
    pool_stream_closed(stream->pool);
    if (connection != NULL) {
        doubt_silent_connection(stream);
        if (!base->finished || !stream->body.sent) {
            nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream->id,
                                      NGHTTP2_CANCEL);
            byte_stream_flush_soon(&connection->bytes);
        }
        http2_stream_forget_connection(stream);
    }
    http2_body_done(&stream->body);
    /* Its memory is the owner's arena. */
}

static const struct backend_stream_methods stream_methods = {
    .send_body = send_body,
    .send_end = send_end,
    .consumed = consumed,
    .close = close_stream,
    .is_sent = is_sent,
};

/* --- opening --------------------------------------------------------------------------------- */

/* Without its fields: they are put into the frame when it leaves. */
static bool submit(struct http2_connection *connection, struct http2_backend_stream *stream)
{
    nghttp2_data_provider body = {.read_callback = read_body};
    stream->id = nghttp2_submit_request(connection->session, NULL, NULL, 0,
                                        stream->base.request->has_body ? &body : NULL, stream);
    return stream->id > 0;
}

struct backend_stream *http2_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options)
{
    struct http2_connection *connection = http2_pick_connection(pool, options);
    if (connection == NULL)
        return NULL;
    struct http2_backend_stream *stream = arena_zalloc(options->arena, sizeof(*stream));
    stream_init(&stream->base, pool, &stream_methods, options);
    stream->pool = pool;
    list_init(&stream->node);
    http2_body_init(&stream->body, &pool->io->buffers, options->arena);
    stream->body.ended = stream->body.sent = !options->request->has_body;
    response_builder_init(&stream->builder);
    stream->fault = BACKEND_FAULT_RESET;
    if (!submit(connection, stream)) {
        receive_window_done(&stream->base.window);
        pool->in_flight--;           /* the next line opens it again */
        connection->draining = true; /* its stream ids are used up */
        return failed_stream_open(pool, options, BACKEND_FAULT_OVERLOAD);
    }
    stream->connection = connection;
    stream->base.connecting = connection->connecting;
    stream->opened_ms = pool->io->loop.now_ms;
    int64_t first_byte_ms = options->timeouts->first_byte_ms;
    stream->silence_ms =
        first_byte_ms > 0 && first_byte_ms < SILENCE_MS ? (uint64_t)first_byte_ms : SILENCE_MS;
    stream->read_before = connection->bytes.bytes_read;
    list_append(&connection->streams, &stream->node);
    connection->open_streams++;
    if (!connection->connecting)
        deadline_stop(&connection->deadline);
    byte_stream_flush_soon(&connection->bytes);
    return &stream->base;
}
