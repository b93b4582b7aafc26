/* What an endpoint sends on an h2 connection, as events of streams. */
#include "proxy/backend/http2_internal.h"

/* A small part of a connection's window. */
enum { CONSUMED_STEP_BYTES = 1024 * 1024 };

/* Of every frame, also those that nghttp2 ignores. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user_data)
{
    struct http2_connection *connection = user_data;
    (void)session, (void)head;
    return ++connection->idle_frames > HTTP2_IDLE_FRAMES ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static bool is_refused(const struct http2_backend_stream *stream)
{
    return stream->fault != BACKEND_FAULT_RESET;
}

/* NULL when its answer is over, one way or another, or nobody wants it any more. */
static struct http2_backend_stream *find_answering(struct http2_connection *connection, int32_t id)
{
    struct http2_backend_stream *stream = http2_stream_by_id(connection, id);
    return stream == NULL || stream->base.finished || is_refused(stream) ? NULL : stream;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)session;
    struct http2_backend_stream *stream = find_answering(user_data, frame->hd.stream_id);
    if (stream != NULL) {
        response_builder_restart(&stream->builder);
        stream->has_fields = false;
    }
    return 0;
}

/* nghttp2 passes on nothing more of the stream, and closes it when the reset leaves: what the
 * client was given before goes first. */
static int refuse_answer(nghttp2_session *session, struct http2_backend_stream *stream,
                         enum builder_result result)
{
    stream->fault =
        result == BUILDER_TOO_LARGE ? BACKEND_FAULT_HEADER_LIMIT : BACKEND_FAULT_MALFORMED;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    (void)flags;
    struct http2_backend_stream *stream = find_answering(user_data, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    enum builder_result result = http2_head_field(stream, name, value);
    return result == BUILDER_OK ? 0 : refuse_answer(session, stream, result);
}

static void finish_answer(nghttp2_session *session, struct http2_backend_stream *stream)
{
    if (!stream->answer_started || stream->content_left > 0) {
        refuse_answer(session, stream, BUILDER_MALFORMED);
        return;
    }
    stream->base.finished = true;
    stream->connection->served = true;
    stream->base.events->on_response_end(stream->base.owner, &stream->builder.head.headers);
}

static void headers_received(nghttp2_session *session, struct http2_backend_stream *stream,
                             bool ends)
{
    const struct backend_stream_events *events = stream->base.events;
    if (stream->answer_started) { /* trailers: nothing follows them */
        if (ends)
            finish_answer(session, stream);
        else
            refuse_answer(session, stream, BUILDER_MALFORMED);
        return;
    }
    enum builder_result result = http2_head_done(stream, ends);
    if (result != BUILDER_OK) {
        refuse_answer(session, stream, result);
        return;
    }
    if (stream->builder.head.status < 200) {
        events->on_interim_head(stream->base.owner, &stream->builder.head);
        return;
    }
    stream->answer_started = true;
    stream->connection->idle_frames = 0;
    events->on_response_head(stream->base.owner, &stream->builder.head);
}

/* Whatever the frame has said in between, the table may have been as small for a moment. */
static void settings_received(struct http2_connection *connection, const nghttp2_settings *settings)
{
    for (size_t i = 0; i < settings->niv; i++) {
        if (settings->iv[i].settings_id == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
            hpack_encoder_limit(&connection->encoder, settings->iv[i].value);
    }
    hpack_encoder_limit(&connection->encoder,
                        nghttp2_session_get_remote_settings(connection->session,
                                                            NGHTTP2_SETTINGS_HEADER_TABLE_SIZE));
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct http2_connection *connection = user_data;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        connection->draining = true;
        return 0;
    }
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        settings_received(connection, &frame->settings);
    struct http2_backend_stream *stream = find_answering(connection, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        stream->reset_received = true;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        headers_received(session, stream, ends);
        stream = find_answering(connection, frame->hd.stream_id);
        if (stream == NULL) /* the owner may have closed it */
            return 0;
        response_builder_restart(&stream->builder); /* what is in it now would be trailers */
    }
    if (ends && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
        finish_answer(session, stream);
    return 0;
}

static void consume_of_connection(struct http2_connection *connection, size_t length)
{
    connection->unreported += length;
    if (connection->unreported < CONSUMED_STEP_BYTES)
        return;
    nghttp2_session_consume_connection(connection->session, connection->unreported);
    connection->unreported = 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user_data)
{
    (void)flags;
    struct http2_connection *connection = user_data;
    consume_of_connection(connection, length);
    struct http2_backend_stream *stream = find_answering(connection, id);
    if (stream == NULL)
        return 0;
    if (!http2_content_fits(stream, length)) {
        refuse_answer(session, stream, BUILDER_MALFORMED);
        return 0;
    }
    connection->idle_frames = 0;
    receive_window_delivered(&stream->base.window, length);
    stream->base.events->on_response_body(stream->base.owner, connection->read_buffer,
                                          (const char *)data, length);
    return 0;
}

static enum backend_fault fault_of_close(const struct http2_backend_stream *stream,
                                         uint32_t error_code)
{
    if (is_refused(stream))
        return stream->fault;
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
    (void)session;
    connection->open_streams--;
    struct http2_backend_stream *stream = http2_stream_by_id(connection, id);
    if (stream != NULL) {
        http2_stream_forget_connection(stream);
        enum backend_fault fault = fault_of_close(stream, error_code);
        http2_stream_fail(stream, fault, fault == BACKEND_FAULT_REFUSED, false);
    }
    http2_connection_rest(connection);
    return 0;
}

void http2_answer_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
