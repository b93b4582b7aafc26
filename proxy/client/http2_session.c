#include "proxy/client/http2_session.h"

#include <stdlib.h>

#include "proxy/client/http2_request.h"
#include "proxy/core/allowance.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/http2/http2_output.h"

/*
 * Streams that end before their answer did, by the client's reset or by ours: each costs a backend
 * more than the client (CVE-2023-44487, CVE-2025-8671). A browser that leaves a page cancels some
 * dozens at once; who goes on is sent away.
 */
enum { RESETS_AT_ONCE = 400, RESETS_A_SECOND = 20 };

/*
 * Frames that move nothing: each costs little, but a client that sends nothing else costs a core
 * (CVE-2019-9512 to 9518). What is asked for and what is read earns more of them, since requests
 * come with priorities and answers are taken with window updates.
 */
enum { IDLE_FRAMES_AT_ONCE = 2000, IDLE_FRAMES_A_SECOND = 100, IDLE_FRAMES_EARNED = 10 };

enum {
    STREAM_WINDOW_BYTES = 256 * 1024,
    CONNECTION_WINDOW_BYTES = 1024 * 1024,
    FIRST_EXTENSION_TYPE = 0x0a,
    /* Between the first GOAWAY and the one that names the last stream: at least one round trip. */
    DRAIN_NOTICE_MS = 300,
};

struct http2_session {
    struct client_connection *connection;
    nghttp2_session *session;
    struct list streams;
    uint32_t stream_count;
    struct deadline drain; /* until the second GOAWAY */
    struct deadline head;  /* a header block that has begun has to end */
    int32_t open_head;     /* its stream; 0: none */
    struct allowance resets;
    struct allowance idle_frames;
    bool draining;
    bool said_last_stream;
};

/* One request and its answer. Lies in its own arena, as does the exchange. */
struct http2_stream {
    struct http2_session *session;
    struct list node;
    int32_t id;
    struct arena arena;
    struct request_head request;
    struct headers request_trailers;
    struct exchange *exchange; /* NULL until the head is complete */
    bool request_ended;
    bool cut;          /* by us, for a fault that is not the client's */
    size_t unconsumed; /* of the request body, for the windows */

    struct http2_body body; /* of the answer */
};

static struct exchange_environment *exchanges_of(const struct http2_session *session)
{
    return session->connection->environment->exchanges;
}

static struct http2_stream *stream_by_id(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static void flush_soon(struct http2_session *session)
{
    byte_stream_flush_soon(&session->connection->bytes);
}

/* --- what an exchange asks of its client --------------------------------------------------- */

static nghttp2_nv *head_to_nv(struct http2_stream *stream, const struct response_head *head,
                              size_t *ret_count)
{
    nghttp2_nv *nv = arena_alloc(&stream->arena, (head->headers.count + 1) * sizeof(*nv));
    char *status = arena_alloc(&stream->arena, 3);
    status[0] = (char)('0' + head->status / 100);
    status[1] = (char)('0' + head->status / 10 % 10);
    status[2] = (char)('0' + head->status % 10);
    struct header_field field = {.name = STRVIEW(":status"), .value = strview_make(status, 3)};
    struct headers first = {.fields = &field, .count = 1};
    *ret_count = http2_fields_to_nv(&head->headers, nv, http2_fields_to_nv(&first, nv, 0));
    return nv;
}

static void client_send_interim_head(void *client, const struct response_head *head)
{
    struct http2_stream *stream = client;
    size_t count = 0;
    nghttp2_nv *nv = head_to_nv(stream, head, &count);
    nghttp2_submit_headers(stream->session->session, NGHTTP2_FLAG_NONE, stream->id, NULL, nv, count,
                           NULL);
    flush_soon(stream->session);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)buffer, (void)source, (void)user_data;
    struct http2_stream *stream = stream_by_id(session, id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return http2_body_read(&stream->body, session, id, length, flags);
}

static void client_send_head(void *client, const struct response_head *head)
{
    struct http2_stream *stream = client;
    size_t count = 0;
    nghttp2_nv *nv = head_to_nv(stream, head, &count);
    nghttp2_data_provider body = {.read_callback = read_body};
    nghttp2_submit_response(stream->session->session, stream->id, nv, count,
                            head->has_body ? &body : NULL);
    flush_soon(stream->session);
}

static void client_send_body(void *client, struct buffer *source, const char *data, size_t length)
{
    struct http2_stream *stream = client;
    http2_body_append(&stream->body, stream->session->session, stream->id, source, data, length);
    flush_soon(stream->session);
}

static void client_send_end(void *client, const struct headers *trailers)
{
    struct http2_stream *stream = client;
    http2_body_end(&stream->body, stream->session->session, stream->id, trailers);
    flush_soon(stream->session);
}

static void client_cut(void *client)
{
    struct http2_stream *stream = client;
    stream->cut = true;
    nghttp2_submit_rst_stream(stream->session->session, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_INTERNAL_ERROR);
    flush_soon(stream->session);
}

static void client_request_consumed(void *client, size_t length)
{
    struct http2_stream *stream = client;
    CHECK(length <= stream->unconsumed);
    stream->unconsumed -= length;
    nghttp2_session_consume(stream->session->session, stream->id, length);
    flush_soon(stream->session);
}

static const struct exchange_client exchange_client_table = {
    .send_interim_head = client_send_interim_head,
    .send_head = client_send_head,
    .send_body = client_send_body,
    .send_end = client_send_end,
    .cut = client_cut,
    .request_consumed = client_request_consumed,
};

/* --- streams ------------------------------------------------------------------------------- */

static struct http2_stream *stream_new(struct http2_session *session, int32_t id)
{
    struct io *io = exchanges_of(session)->io;
    struct arena arena;
    arena_init(&arena, &io->arenas);
    struct http2_stream *stream = arena_zalloc(&arena, sizeof(*stream));
    stream->arena = arena;
    stream->session = session;
    stream->id = id;
    http2_request_init(&stream->request);
    headers_init(&stream->request_trailers);
    http2_body_init(&stream->body, &io->buffers, &stream->arena);
    list_append(&session->streams, &stream->node);
    if (session->stream_count++ == 0)
        client_connection_busy(session->connection);
    return stream;
}

static void stream_free(struct http2_stream *stream)
{
    struct http2_session *session = stream->session;
    if (stream->exchange != NULL)
        exchange_end(stream->exchange);
    /* What nobody consumed still counts against the connection's window. */
    if (stream->unconsumed > 0)
        nghttp2_session_consume_connection(session->session, stream->unconsumed);
    http2_body_done(&stream->body);
    list_remove(&stream->node);
    if (--session->stream_count == 0)
        client_connection_idle(session->connection);
    struct arena arena = stream->arena; /* the stream lies in it */
    arena_done(&arena);
}

static void head_complete(struct http2_stream *stream, bool ends)
{
    struct http2_session *session = stream->session;
    http2_request_done(&stream->request, &stream->arena, ends);
    stream->request_ended = ends;
    stream->exchange =
        exchange_start(exchanges_of(session), &exchange_client_table, stream,
                       &session->connection->facts, &stream->request, &stream->arena);
}

static void request_complete(struct http2_stream *stream)
{
    if (stream->request_ended || stream->exchange == NULL)
        return;
    stream->request_ended = true;
    exchange_request_end(stream->exchange, &stream->request_trailers);
}

/* --- events of nghttp2 --------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    struct http2_session *session = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct http2_stream *stream = stream_new(session, frame->hd.stream_id);
    session->open_head = frame->hd.stream_id;
    allowance_earn(&session->idle_frames, IDLE_FRAMES_EARNED);
    nghttp2_session_set_stream_user_data(nghttp2, frame->hd.stream_id, stream);
    return 0;
}

static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    (void)flags;
    struct http2_session *session = user_data;
    struct http2_stream *stream = stream_by_id(nghttp2, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_bytes = nghttp2_rcbuf_get_buf(value);
    struct strview name_view = strview_make((const char *)name_bytes.base, name_bytes.len);
    struct strview value_view = strview_make((const char *)value_bytes.base, value_bytes.len);
    const struct limits *limits = client_connection_limits(session->connection);
    if (stream->exchange == NULL) {
        http2_request_field(&stream->request, &stream->arena, limits, name_view, value_view);
        return 0;
    }
    struct headers *trailers = &stream->request_trailers;
    if (trailers->bytes + name_view.length + value_view.length + 32 > limits->header_bytes ||
        trailers->count >= limits->header_fields)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    headers_add(trailers, &stream->arena, header_token_of(name_view),
                arena_copy(&stream->arena, name_view), arena_copy(&stream->arena, value_view));
    return 0;
}

static int on_frame_recv(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    struct http2_session *session = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        session->open_head = 0;
    struct http2_stream *stream = stream_by_id(nghttp2, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && stream->exchange == NULL)
        head_complete(stream, ends);
    else if (ends)
        request_complete(stream);
    return 0;
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *user_data)
{
    (void)flags;
    struct http2_session *session = user_data;
    struct http2_stream *stream = stream_by_id(nghttp2, id);
    if (stream == NULL || stream->exchange == NULL) {
        nghttp2_session_consume(nghttp2, id, length);
        return 0;
    }
    stream->unconsumed += length;
    exchange_request_body(stream->exchange, session->connection->read_buffer, (const char *)data,
                          length);
    return 0;
}

/* Frames of types that we do not know are ignored (RFC 9113 section 4.1), but not for nothing. */
static int skip_extension_bytes(nghttp2_session *nghttp2, const nghttp2_frame_hd *head,
                                const uint8_t *data, size_t length, void *user_data)
{
    (void)nghttp2, (void)head, (void)data, (void)length, (void)user_data;
    return NGHTTP2_ERR_CANCEL;
}

static int skip_extension(nghttp2_session *nghttp2, void **payload, const nghttp2_frame_hd *head,
                          void *user_data)
{
    (void)nghttp2, (void)payload, (void)head, (void)user_data;
    return NGHTTP2_ERR_CANCEL;
}

static void charge(struct http2_session *session, struct allowance *allowance)
{
    if (!allowance_take(allowance, exchanges_of(session)->io->loop.now_ms))
        nghttp2_session_terminate_session(session->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static bool moves_nothing(const nghttp2_frame_hd *head)
{
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM: /* charged when it ends a stream */
    case NGHTTP2_GOAWAY:
        return false;
    case NGHTTP2_DATA:
        return head->length == 0 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
        return true; /* PRIORITY, SETTINGS, PING, WINDOW_UPDATE, types that we do not know */
    }
}

static int on_begin_frame(nghttp2_session *nghttp2, const nghttp2_frame_hd *head, void *user_data)
{
    (void)nghttp2;
    struct http2_session *session = user_data;
    if (moves_nothing(head))
        charge(session, &session->idle_frames);
    return 0;
}

static int on_stream_close(nghttp2_session *nghttp2, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct http2_session *session = user_data;
    if (session->open_head == id)
        session->open_head = 0; /* it broke a rule */
    struct http2_stream *stream = stream_by_id(nghttp2, id);
    if (stream == NULL)
        return 0;
    if (error_code != NGHTTP2_NO_ERROR && !stream->body.sent && !stream->cut)
        charge(session, &session->resets);
    nghttp2_session_set_stream_user_data(nghttp2, id, NULL);
    stream_free(stream);
    return 0;
}

/* An answer that ended before its request: the client is told to stop (RFC 9113 section 8.1). */
static int on_frame_send(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data)
{
    struct http2_session *session = user_data;
    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
        charge(session, &session->resets); /* over the limit of streams: nghttp2 keeps none of it */
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    struct http2_stream *stream = stream_by_id(nghttp2, frame->hd.stream_id);
    if (stream != NULL && !stream->request_ended)
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    return 0;
}

/* An answer that nghttp2 would not frame must not leave its stream open for ever. */
static int on_frame_not_send(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error,
                             void *user_data)
{
    (void)error, (void)user_data;
    if (frame->hd.type == NGHTTP2_HEADERS && stream_by_id(nghttp2, frame->hd.stream_id) != NULL)
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
    (void)source;
    struct http2_session *session = user_data;
    struct http2_stream *stream = stream_by_id(nghttp2, frame->hd.stream_id);
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

/* --- draining ------------------------------------------------------------------------------ */

static void say_last_stream(struct http2_session *session)
{
    session->said_last_stream = true;
    nghttp2_submit_goaway(session->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    flush_soon(session);
}

static void on_drain(struct deadline *deadline)
{
    say_last_stream(LIST_ENTRY(deadline, struct http2_session, drain));
}

/* Two GOAWAYs, so that no request crosses the first on its way (RFC 9113 section 6.8). */
static void session_drain(void *argument)
{
    struct http2_session *session = argument;
    if (session->draining)
        return;
    session->draining = true;
    nghttp2_submit_shutdown_notice(session->session);
    deadline_start(&exchanges_of(session)->io->loop, &session->drain, DRAIN_NOTICE_MS);
}

static void session_end(void *argument)
{
    struct http2_session *session = argument;
    nghttp2_session_terminate_session(session->session, NGHTTP2_NO_ERROR);
}

/* --- the session --------------------------------------------------------------------------- */

/* Absolute for the whole block, so that single bytes do not prolong it (slowloris). */
static void watch_open_head(struct http2_session *session)
{
    if (session->open_head == 0)
        deadline_stop(&session->head);
    else if (!deadline_is_running(&session->head))
        deadline_start(&exchanges_of(session)->io->loop, &session->head,
                       client_connection_limits(session->connection)->header_timeout_ms);
}

static void on_head_expired(struct deadline *deadline)
{
    struct http2_session *session = LIST_ENTRY(deadline, struct http2_session, head);
    nghttp2_session_terminate_session(session->session, NGHTTP2_ENHANCE_YOUR_CALM);
    flush_soon(session);
}

static bool session_receive(void *argument, struct buffer *buffer, const char *data, size_t length)
{
    struct http2_session *session = argument;
    session->connection->read_buffer = buffer;
    ssize_t taken = nghttp2_session_mem_recv(session->session, (const uint8_t *)data, length);
    session->connection->read_buffer = NULL;
    watch_open_head(session);
    return taken >= 0;
}

static bool session_fill(void *argument)
{
    struct http2_session *session = argument;
    if (nghttp2_session_send(session->session) != 0)
        return false;
    if (session->said_last_stream && session->stream_count == 0)
        return false;
    return nghttp2_session_want_read(session->session) ||
           nghttp2_session_want_write(session->session);
}

static void session_free(void *argument)
{
    struct http2_session *session = argument;
    while (!list_is_empty(&session->streams)) {
        struct http2_stream *stream = LIST_ENTRY(session->streams.next, struct http2_stream, node);
        nghttp2_session_set_stream_user_data(session->session, stream->id, NULL);
        stream_free(stream);
    }
    deadline_stop(&session->drain);
    deadline_stop(&session->head);
    nghttp2_session_del(session->session);
    free(session);
}

static bool session_wants_input(void *argument)
{
    const struct http2_session *session = argument;
    return !http2_output_is_stuck(session->session, &session->connection->bytes.output);
}

const struct client_session_methods http2_session_methods = {
    .receive = session_receive,
    .fill = session_fill,
    .wants_input = session_wants_input,
    .drain = session_drain,
    .end = session_end,
    .free = session_free,
};

static nghttp2_session *nghttp2_new(struct http2_session *session)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_session *nghttp2;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_option_set_no_auto_window_update(options, 1);
    /* Else nghttp2 passes over unknown types without a word, and nobody could count them. */
    for (unsigned type = FIRST_EXTENSION_TYPE; type <= UINT8_MAX; type++)
        nghttp2_option_set_user_recv_extension_type(options, (uint8_t)type);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, skip_extension_bytes);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, skip_extension);
    nghttp2_option_set_max_send_header_block_length(options, HTTP2_HEADER_BLOCK_BYTES);
    CHECK(nghttp2_session_server_new2(&nghttp2, callbacks, session, options) == 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return nghttp2;
}

struct http2_session *http2_session_new(struct client_connection *connection)
{
    struct http2_session *session = memory_zalloc(sizeof(*session));
    session->connection = connection;
    uint64_t now_ms = exchanges_of(session)->io->loop.now_ms;
    allowance_init(&session->resets, RESETS_AT_ONCE, RESETS_A_SECOND, now_ms);
    allowance_init(&session->idle_frames, IDLE_FRAMES_AT_ONCE, IDLE_FRAMES_A_SECOND, now_ms);
    list_init(&session->streams);
    deadline_init(&session->drain, on_drain);
    deadline_init(&session->head, on_head_expired);
    session->session = nghttp2_new(session);
    const struct limits *limits = client_connection_limits(connection);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->header_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    CHECK(nghttp2_submit_settings(session->session, NGHTTP2_FLAG_NONE, settings, 4) == 0);
    CHECK(nghttp2_session_set_local_window_size(session->session, NGHTTP2_FLAG_NONE, 0,
                                                CONNECTION_WINDOW_BYTES) == 0);
    client_connection_idle(connection);
    if (connection->environment->draining)
        session_drain(session);
    return session;
}
