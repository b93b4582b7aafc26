/* One request on an HTTP/2 session: its exchange, and what the exchange asks of its client. */
#include "proxy/client/http2_internal.h"

#include "proxy/core/check.h"
#include "proxy/http/request_head.h"

/* --- what an exchange asks of its client --------------------------------------------------- */

/* A tunnel's head is 200, and proves nothing about a key that was not sent (RFC 8441 section 5). */
static struct response_head tunnel_head(const struct response_head *head, struct arena *arena)
{
    struct response_head result = *head;
    result.status = 200;
    headers_init(&result.headers);
    for (uint32_t i = 0; i < head->headers.count; i++) {
        const struct header_field *field = &head->headers.fields[i];
        if (!strview_equal(field->name, STRVIEW("sec-websocket-accept")))
            headers_add(&result.headers, arena, field->token, field->name, field->value);
    }
    return result;
}

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
    http2_flush_soon(stream->session);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)buffer, (void)source;
    struct http2_stream *stream = http2_stream_by_id(user_data, id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    length = http2_body_frame_bytes(&stream->body, &stream->session->connection->bytes, length);
    return http2_body_read(&stream->body, session, id, length, flags);
}

static void client_send_head(void *client, const struct response_head *head)
{
    struct http2_stream *stream = client;
    size_t count = 0;
    stream->tunnel = head->status == 101;
    struct response_head sent = stream->tunnel ? tunnel_head(head, &stream->arena) : *head;
    nghttp2_nv *nv = head_to_nv(stream, &sent, &count);
    nghttp2_data_provider body = {.read_callback = read_body};
    nghttp2_submit_response(stream->session->session, stream->id, nv, count,
                            head->has_body ? &body : NULL);
    http2_flush_soon(stream->session);
}

static void client_send_body(void *client, struct buffer *source, const char *data, size_t length)
{
    struct http2_stream *stream = client;
    http2_body_append(&stream->body, stream->session->session, stream->id, source, data, length);
    http2_flush_soon(stream->session);
}

static void client_send_end(void *client, const struct headers *trailers)
{
    struct http2_stream *stream = client;
    http2_body_end(&stream->body, stream->session->session, stream->id, trailers);
    http2_flush_soon(stream->session);
}

static void client_cut(void *client)
{
    struct http2_stream *stream = client;
    stream->cut = true;
    nghttp2_submit_rst_stream(stream->session->session, NGHTTP2_FLAG_NONE, stream->id,
                              stream->tunnel ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
    http2_flush_soon(stream->session);
}

static void client_request_consumed(void *client, size_t length)
{
    struct http2_stream *stream = client;
    CHECK(length <= stream->unconsumed);
    stream->unconsumed -= length;
    nghttp2_session_consume(stream->session->session, stream->id, length);
    http2_flush_soon(stream->session);
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

static void on_lingered(struct deadline *deadline)
{
    struct http2_stream *stream = LIST_ENTRY(deadline, struct http2_stream, linger);
    nghttp2_submit_rst_stream(stream->session->session, NGHTTP2_FLAG_NONE, stream->id,
                              NGHTTP2_NO_ERROR);
    http2_flush_soon(stream->session);
}

struct http2_stream *http2_stream_new(struct http2_session *session, int32_t id)
{
    struct io *io = http2_exchanges(session)->io;
    struct arena arena;
    arena_init(&arena, &io->arenas);
    struct http2_stream *stream = arena_zalloc(&arena, sizeof(*stream));
    stream->arena = arena;
    stream->session = session;
    stream->id = id;
    request_head_init(&stream->request);
    headers_init(&stream->request_trailers);
    deadline_init(&stream->linger, on_lingered);
    http2_body_init(&stream->body, &io->buffers, &stream->arena);
    list_append(&session->streams, &stream->node);
    if (session->stream_count++ == 0)
        client_connection_busy(session->connection);
    return stream;
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2_session *session = stream->session;
    if (stream->exchange != NULL)
        exchange_end(stream->exchange);
    /* What nobody consumed still counts against the connection's window. */
    if (stream->unconsumed > 0)
        nghttp2_session_consume_connection(session->session, stream->unconsumed);
    deadline_stop(&stream->linger);
    http2_body_done(&stream->body);
    list_remove(&stream->node);
    if (session->recent == stream)
        session->recent = NULL;
    if (--session->stream_count == 0)
        client_connection_idle(session->connection);
    struct arena arena = stream->arena; /* the stream lies in it */
    arena_done(&arena);
}

void http2_stream_head_complete(struct http2_stream *stream, bool ends)
{
    struct http2_session *session = stream->session;
    request_head_done(&stream->request, &stream->arena, !ends);
    stream->request_ended = ends;
    stream->exchange =
        exchange_start(http2_exchanges(session), &exchange_client_table, stream,
                       &session->connection->facts, &stream->request, &stream->arena);
}

void http2_stream_request_complete(struct http2_stream *stream)
{
    if (stream->request_ended || stream->exchange == NULL)
        return;
    stream->request_ended = true;
    exchange_request_end(stream->exchange, &stream->request_trailers);
}

void http2_stream_linger(struct http2_stream *stream)
{
    struct http2_session *session = stream->session;
    exchange_end(stream->exchange);
    stream->exchange = NULL;
    nghttp2_session_consume(session->session, stream->id, stream->unconsumed);
    stream->unconsumed = 0;
    deadline_start(&http2_exchanges(session)->io->loop, &stream->linger, CLIENT_LINGER_MS);
}
