/* One request on an HTTP/1 session: its exchange, and what the exchange asks of its client. */
#include "proxy/client/http1_internal.h"

#include "proxy/core/check.h"
#include "proxy/http/status.h"
#include "proxy/http1/http1_output.h"

static struct byte_queue *output_of(struct http1_stream *stream)
{
    return &stream->session->connection->bytes.output;
}

static void flush_soon(struct http1_stream *stream)
{
    client_connection_flush_soon(stream->session->connection);
}

/* --- what an exchange asks of its client --------------------------------------------------- */

static void write_head(struct http1_stream *stream, const struct response_head *head,
                       struct http1_text framing)
{
    const char status[3] = {(char)('0' + head->status / 100), (char)('0' + head->status / 10 % 10),
                            (char)('0' + head->status % 10)};
    const struct strview line[] = {
        STRVIEW("HTTP/1.1 "), strview_make(status, sizeof(status)),
        STRVIEW(" "),         strview_of(status_phrase(head->status)),
        STRVIEW("\r\n"),
    };
    http1_write_head(output_of(stream), (struct http1_text){line, sizeof(line) / sizeof(line[0])},
                     &head->headers, framing);
    flush_soon(stream);
}

/* RFC 9110 section 15.2: a client of HTTP/1.0 does not know them. */
static void client_send_interim_head(void *client, const struct response_head *head)
{
    struct http1_stream *stream = client;
    if (stream->http1.minor == 0)
        return;
    stream->continued |= head->status == 100;
    write_head(stream, head, (struct http1_text){NULL, 0});
}

/*
 * Is this the last answer on the connection? Besides what was said before: the client has no other
 * way to see its end, or what it may still send is better not read as the next request (RFC 9110
 * section 10.1.1, RFC 9112 section 9.3).
 */
static bool ends_connection(const struct http1_stream *stream, const struct response_head *head)
{
    struct http1_session *session = stream->session;
    /* Answered before the exchange was ours: refused as it stands, so who knows what follows. */
    bool malformed = stream->exchange == NULL &&
                     (head->status == 400 || head->status == 431 || head->status == 501);
    bool content_is_due = stream->phase != HTTP1_READ;
    bool content_is_unwanted =
        head->status >= 400 || (stream->http1.expects_continue && !stream->continued);
    return session->closes || stream->until_close ||
           (session->draining && !http1_session_outlives_answer(session)) ||
           (session->input_ended && session->pending.bytes == 0) || malformed ||
           (content_is_due && content_is_unwanted);
}

/* What the client has sent behind its request belongs to the tunnel, and comes with the next fill.
 */
static void begin_tunnel(struct http1_stream *stream, const struct response_head *head)
{
    const struct strview framing = STRVIEW("connection: upgrade\r\nupgrade: websocket\r\n");
    stream->phase = HTTP1_IN_TUNNEL;
    stream->session->closes = true;
    write_head(stream, head, (struct http1_text){&framing, 1});
}

static void client_send_head(void *client, const struct response_head *head)
{
    struct http1_stream *stream = client;
    if (head->status == 101) {
        begin_tunnel(stream, head);
        return;
    }
    struct http1_session *session = stream->session;
    bool has_length = head->content_length != CONTENT_LENGTH_UNKNOWN;
    stream->chunked = head->has_body && !has_length && stream->http1.minor > 0;
    stream->until_close = head->has_body && !has_length && stream->http1.minor == 0;
    session->closes = ends_connection(stream, head);
    session->connection->ends_answer = stream->until_close;
    const struct strview framing[] = {
        stream->chunked ? STRVIEW("transfer-encoding: chunked\r\n") : STRVIEW_NONE,
        session->closes           ? STRVIEW("connection: close\r\n")
        : stream->http1.minor > 0 ? STRVIEW_NONE
                                  : STRVIEW("connection: keep-alive\r\n"),
    };
    write_head(stream, head, (struct http1_text){framing, 2});
    stream->answered = !head->has_body;
}

static void client_send_body(void *client, struct buffer *source, const char *data, size_t length)
{
    struct http1_stream *stream = client;
    if (stream->chunked)
        http1_write_chunk(output_of(stream), source, data, length);
    else
        byte_queue_append_slice(output_of(stream), source, data, length);
    stream->unreported += length;
    flush_soon(stream);
}

/* Trailers are for whoever asked for them (RFC 9110 section 6.5.1). */
static void client_send_end(void *client, const struct headers *trailers)
{
    struct http1_stream *stream = client;
    if (stream->chunked)
        http1_write_last_chunk(output_of(stream), stream->http1.wants_trailers ? trailers : NULL);
    stream->answered = true;
    flush_soon(stream);
}

static void client_cut(void *client)
{
    struct http1_stream *stream = client;
    stream->session->closes = true;
    /* A tunnel also when one of its ends has come: nobody is there for the other. */
    stream->cut = !stream->answered || stream->phase == HTTP1_IN_TUNNEL;
    flush_soon(stream);
}

static void client_request_consumed(void *client, size_t length)
{
    struct http1_stream *stream = client;
    CHECK(length <= stream->unconsumed);
    stream->unconsumed -= length;
    client_connection_balance_input(stream->session->connection);
}

static const struct exchange_client exchange_client_table = {
    .send_interim_head = client_send_interim_head,
    .send_head = client_send_head,
    .send_body = client_send_body,
    .send_end = client_send_end,
    .cut = client_cut,
    .request_consumed = client_request_consumed,
};

/* --- the stream ---------------------------------------------------------------------------- */

struct http1_stream *http1_stream_new(struct http1_session *session)
{
    struct arena arena;
    arena_init(&arena, &session->connection->environment->exchanges->io->arenas);
    struct http1_stream *stream = arena_zalloc(&arena, sizeof(*stream));
    stream->arena = arena;
    stream->session = session;
    stream->http1.minor = 1;
    request_head_init(&stream->request);
    headers_init(&stream->request_trailers);
    return stream;
}

void http1_stream_free(struct http1_stream *stream)
{
    if (stream->exchange != NULL)
        exchange_end(stream->exchange);
    struct arena arena = stream->arena; /* the stream lies in it */
    arena_done(&arena);
}

/* A client of HTTP/1.0 may leave it to us who is asked (RFC 9112 section 3.3). */
static void name_default_host(struct http1_stream *stream)
{
    struct request_head *head = &stream->request;
    if (stream->http1.minor == 0 && !head->has_host && head->authority.length == 0)
        head->authority = client_connection_local_host(stream->session->connection, &stream->arena);
}

void http1_stream_start(struct http1_stream *stream)
{
    struct http1_session *session = stream->session;
    struct client_connection *connection = session->connection;
    bool is_1_0 = stream->http1.minor == 0;
    connection->facts.protocol = is_1_0 ? STRVIEW("http/1.0") : STRVIEW("http/1.1");
    connection->facts.version = is_1_0 ? STRVIEW("1.0") : STRVIEW("1.1");
    session->closes |= !stream->http1.keeps;
    name_default_host(stream);
    client_connection_busy(connection);
    stream->exchange = exchange_start(connection->environment->exchanges, &exchange_client_table,
                                      stream, &connection->facts, &stream->request, &stream->arena);
}

void http1_stream_request_complete(struct http1_stream *stream)
{
    stream->phase = HTTP1_READ;
    exchange_request_end(stream->exchange, &stream->request_trailers);
}

void http1_stream_refuse(struct http1_stream *stream, struct request_verdict why)
{
    stream->session->closes = true;
    stream->refused = true;
    stream->phase = HTTP1_READ;
    client_connection_record_fault(stream->session->connection, why.status == 408
                                                                    ? CLIENT_FAULT_HEAD_TIMEOUT
                                                                    : CLIENT_FAULT_PROTOCOL);
    if (stream->exchange != NULL) {
        exchange_give_up_on_client(stream->exchange, why.status, why.detail);
        return;
    }
    request_head_refuse(&stream->request, why.status, why.detail);
    stream->request.has_body = false;
    http1_stream_start(stream);
}

void http1_stream_end_tunnel(struct http1_stream *stream)
{
    struct http1_session *session = stream->session;
    if (stream->phase != HTTP1_IN_TUNNEL)
        return;
    if (session->input_ended && session->pending.bytes == 0 && !stream->input_over) {
        stream->input_over = true;
        exchange_request_end(stream->exchange, &stream->request_trailers);
    }
    if (stream->answered && output_of(stream)->bytes == 0 && !stream->output_over) {
        stream->output_over = true;
        byte_stream_end_output(&session->connection->bytes);
    }
}

void http1_stream_report(struct http1_stream *stream)
{
    size_t length = stream->unreported;
    stream->unreported = 0;
    if (length > 0)
        exchange_response_consumed(stream->exchange, length);
}
