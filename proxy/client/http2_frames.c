/* The frames of an HTTP/2 session: what nghttp2 reports of those that come, and wants of those that
 * go. */
#include "proxy/client/http2_internal.h"

#include "proxy/http/request_head.h"
#include "proxy/http2/http2_extensions.h"

enum {
    FIELD_OVERHEAD_BYTES = 32, /* RFC 9113 section 6.5.2 */
    SURPLUS_LIMITS = 4,        /* so many times the limit of a head */
};

/* With what the client has withdrawn, and endpoints still work on, its streams are too many. */
static bool has_too_much_at_work(struct http2_session *session)
{
    uint64_t now_ms = http2_exchanges(session)->io->loop.now_ms;
    uint32_t withdrawn = withdrawn_count(session->withdrawn, now_ms);
    return withdrawn > 0 && session->stream_count + withdrawn >=
                                client_connection_limits(session->connection)->streams;
}

static void refuse_stream(struct http2_session *session, int32_t id)
{
    http2_rules_reset(&session->rules, id);
    nghttp2_submit_rst_stream(session->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    struct http2_session *session = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    session->open_head = frame->hd.stream_id;
    if (has_too_much_at_work(session)) {
        refuse_stream(session, frame->hd.stream_id);
        return 0;
    }
    struct http2_stream *stream = http2_stream_new(session, frame->hd.stream_id);
    allowance_earn(&session->idle_frames, IDLE_FRAMES_EARNED);
    nghttp2_session_set_stream_user_data(nghttp2, frame->hd.stream_id, stream);
    return 0;
}

/*
 * Fields over the limit are dropped, and the request refused when its head is complete. A block
 * that goes on and on (RFC 7541 section 7.3) is not worth that: its stream is reset, and the rest
 * of it neither checked nor shown to us.
 */
static bool is_bomb(struct http2_stream *stream, const struct limits *limits, size_t length)
{
    const struct headers *headers = &stream->request.headers;
    if (headers->bytes <= limits->header_bytes && headers->count <= limits->header_fields)
        return false;
    stream->surplus_bytes += length + FIELD_OVERHEAD_BYTES;
    return stream->surplus_bytes > SURPLUS_LIMITS * (size_t)limits->header_bytes;
}

static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    (void)nghttp2, (void)flags;
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL || http2_stream_lingers(stream))
        return 0;
    nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_bytes = nghttp2_rcbuf_get_buf(value);
    struct strview name_view = strview_make((const char *)name_bytes.base, name_bytes.len);
    struct strview value_view = strview_make((const char *)value_bytes.base, value_bytes.len);
    const struct limits *limits = client_connection_limits(session->connection);
    if (stream->exchange == NULL) {
        request_head_field(&stream->request, &stream->arena, limits, name_view, value_view);
        return is_bomb(stream, limits, name_view.length + value_view.length)
                   ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE
                   : 0;
    }
    struct headers *trailers = &stream->request_trailers;
    if (trailers->bytes + name_view.length + value_view.length + FIELD_OVERHEAD_BYTES >
            limits->header_bytes ||
        trailers->count >= limits->header_fields)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    headers_add(trailers, &stream->arena, header_token_of(name_view),
                arena_copy(&stream->arena, name_view), arena_copy(&stream->arena, value_view));
    return 0;
}

void http2_end_with(struct http2_session *session, uint32_t error)
{
    if (session->sent_away || error == NGHTTP2_NO_ERROR)
        return;
    session->sent_away = true;
    client_connection_record_fault(session->connection, CLIENT_FAULT_PROTOCOL);
    nghttp2_session_terminate_session(session->session, error);
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user_data)
{
    (void)flags;
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_stream_by_id(session, id);
    if (stream == NULL || stream->exchange == NULL) {
        nghttp2_session_consume(nghttp2, id, length);
        return 0;
    }
    stream->unconsumed += length;
    exchange_request_body(stream->exchange, session->connection->read_buffer, (const char *)data,
                          length);
    return 0;
}

static void charge(struct http2_session *session, struct allowance *allowance,
                   enum client_fault fault)
{
    if (session->sent_away || allowance_take(allowance, http2_exchanges(session)->io->loop.now_ms))
        return;
    session->sent_away = true;
    client_connection_record_fault(session->connection, fault);
    client_connection_note_excess(session->connection);
    nghttp2_session_terminate_session(session->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static bool moves_nothing(const nghttp2_frame_hd *head)
{
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        return false;
    case NGHTTP2_DATA:
        return head->length == 0 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
        return true; /* also RST_STREAM: of a stream that is over it costs nothing else */
    }
}

static int on_begin_frame(nghttp2_session *nghttp2, const nghttp2_frame_hd *head, void *user_data)
{
    (void)nghttp2;
    struct http2_session *session = user_data;
    http2_end_with(session, http2_rules_begin_frame(session, head));
    if (moves_nothing(head))
        charge(session, &session->idle_frames, CLIENT_FAULT_IDLE_FRAMES);
    return 0;
}

/* Nor does this, which is known when the frame is complete. */
static bool is_nothing_but_padding(const nghttp2_frame *frame)
{
    return frame->data.padlen > 0 && frame->data.padlen == frame->hd.length &&
           (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
}

static int on_frame_recv(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    (void)nghttp2;
    struct http2_session *session = user_data;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        http2_end_with(session, http2_rules_settings(session));
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        session->open_head = 0;
    else if (is_nothing_but_padding(frame))
        charge(session, &session->idle_frames, CLIENT_FAULT_IDLE_FRAMES);
    struct http2_stream *stream = http2_stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL || http2_stream_lingers(stream))
        return 0;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && stream->exchange == NULL)
        http2_stream_head_complete(stream, ends);
    else if (ends)
        http2_stream_request_complete(stream);
    return 0;
}

/* Such a frame opens no stream; nghttp2 resets it by itself. */
static int on_invalid_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error,
                            void *user_data)
{
    (void)nghttp2, (void)error;
    struct http2_session *session = user_data;
    if (frame->hd.type == NGHTTP2_HEADERS)
        http2_rules_reset(&session->rules, frame->hd.stream_id);
    return 0;
}

static int on_stream_close(nghttp2_session *nghttp2, int32_t id, uint32_t error_code,
                           void *user_data)
{
    (void)error_code;
    struct http2_session *session = user_data;
    if (session->open_head == id)
        session->open_head = 0; /* it broke a rule */
    struct http2_stream *stream = http2_stream_by_id(session, id);
    if (stream == NULL)
        return 0;
    if (!stream->answered && !stream->cut) /* whatever code the client chose */
        charge(session, &session->resets, CLIENT_FAULT_RESETS);
    nghttp2_session_set_stream_user_data(nghttp2, id, NULL);
    http2_stream_free(stream);
    return 0;
}

/* An answer may be complete before its request. */
static int on_frame_send(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    (void)nghttp2;
    struct http2_session *session = user_data;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        http2_rules_reset(&session->rules, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
        charge(session, &session->resets,
               CLIENT_FAULT_RESETS); /* over the limit of streams: nghttp2 keeps none of it */
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    struct http2_stream *stream = http2_stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    stream->answered = true;
    if (!stream->request_ended && !stream->tunnel)
        http2_stream_linger(stream);
    return 0;
}

/* An answer that nghttp2 would not frame must not leave its stream open for ever. */
static int on_frame_not_send(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error,
                             void *user_data)
{
    (void)error;
    struct http2_session *session = user_data;
    if (frame->hd.type == NGHTTP2_HEADERS &&
        http2_stream_by_id(session, frame->hd.stream_id) != NULL)
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    return 0;
}

static ssize_t send_frame(nghttp2_session *nghttp2, const uint8_t *data, size_t length, int flags,
                          void *user_data)
{
    (void)nghttp2, (void)flags;
    struct http2_session *session = user_data;
    return http2_output_frame(&session->connection->bytes.output, data, length);
}

static int send_data(nghttp2_session *nghttp2, nghttp2_frame *frame, const uint8_t *frame_head,
                     size_t length, nghttp2_data_source *source, void *user_data)
{
    (void)nghttp2, (void)source;
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_stream_by_id(session, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    int result =
        http2_output_data(&session->connection->bytes.output, &stream->body, frame_head, length);
    if (result == 0 && length > 0) {
        allowance_earn(&session->idle_frames, IDLE_FRAMES_EARNED);
        exchange_response_consumed(stream->exchange, length);
    }
    return result;
}

void http2_frames_set_callbacks(nghttp2_session_callbacks *callbacks, nghttp2_option *options)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    http2_extensions_show(callbacks, options);
}
