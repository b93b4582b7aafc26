#include "proxy/client/http1_internal.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* --- requests, one after the other --------------------------------------------------------- */

/* The end of a line may stand before a request (RFC 9112 section 2.2): one. */
static size_t skip_empty_line(struct http1_session *session, const char *data, size_t length)
{
    static const char empty_line[2] = "\r\n";
    size_t skipped = 0;
    while (skipped < length && session->empty_line < sizeof(empty_line) &&
           data[skipped] == empty_line[session->empty_line]) {
        session->empty_line++;
        skipped++;
    }
    return skipped;
}

/* The time for a head runs from its first byte; the first of a connection since it was accepted. */
static void begin_stream(struct http1_session *session)
{
    session->stream = http1_stream_new(session);
    if (session->served)
        client_connection_expect_head(session->connection);
    session->served = true;
}

static const struct request_verdict not_http = {400, "This is no HTTP request."};

/* Takes bytes up to the end of the request under way, or of the next; says how many. */
static size_t take(struct http1_session *session, const char *data, size_t length)
{
    size_t taken = 0;
    if (session->stream == NULL) {
        taken = skip_empty_line(session, data, length);
        if (taken == length)
            return taken;
        begin_stream(session);
        if (session->empty_line == 1) { /* a bare CR */
            http1_stream_refuse(session->stream, not_http);
            return length;
        }
    }
    return taken + http1_stream_take(session->stream, data + taken, length - taken);
}

static bool is_reading(const struct http1_session *session)
{
    return session->stream == NULL || session->stream->phase != HTTP1_READ;
}

static bool session_receive(void *argument, struct buffer *buffer, const char *data, size_t length)
{
    struct http1_session *session = argument;
    size_t taken = 0;
    if (is_reading(session) && session->pending.bytes == 0) {
        session->connection->read_buffer = buffer;
        taken = take(session, data, length);
        session->connection->read_buffer = NULL;
    }
    bool is_wanted = !session->closes || is_reading(session);
    if (taken < length && is_wanted)
        byte_queue_append_slice(&session->pending, buffer, data + taken, length - taken);
    session->said_more |= taken < length && !is_wanted;
    return true;
}

/* What came while the request before was under way. */
static void take_pending(struct http1_session *session)
{
    struct iovec first;
    while (is_reading(session) && byte_queue_peek(&session->pending, &first, 1) > 0)
        byte_queue_consume(&session->pending, take(session, first.iov_base, first.iov_len));
}

static void rest(struct http1_session *session)
{
    if (session->draining)
        client_connection_idle_draining(session->connection);
    else
        client_connection_idle(session->connection);
}

/* Read to its end, the last by the client's own word, and that holds. */
static bool is_last(const struct http1_session *session)
{
    const struct http1_stream *stream = session->stream;
    return stream->phase == HTTP1_READ && !stream->http1.keeps && !stream->refused &&
           !session->said_more && session->pending.bytes == 0;
}

/* False: nothing may follow the request that has ended. */
static bool end_stream(struct http1_session *session)
{
    struct http1_stream *stream = session->stream;
    bool whole = stream->phase >= HTTP1_READ && !stream->cut;
    session->connection->is_cut = stream->cut;
    session->connection->is_last = whole && is_last(session);
    session->stream = NULL;
    session->empty_line = 0;
    http1_stream_free(stream);
    rest(session);
    return whole && !session->closes;
}

/* --- the session --------------------------------------------------------------------------- */

/* True while the request under way has its answer: it is over, and the next is looked at. */
static bool is_over(struct http1_session *session)
{
    struct http1_stream *stream = session->stream;
    if (stream == NULL)
        return false;
    http1_stream_report(stream);
    http1_stream_end_tunnel(stream);
    bool is_open = stream->phase == HTTP1_IN_TUNNEL && !stream->input_over;
    return stream->cut || (stream->answered && !is_open);
}

/* Nobody will say any more on this connection. */
static bool is_done(const struct http1_session *session)
{
    bool nothing_comes = session->input_ended && session->pending.bytes == 0;
    if (session->stream == NULL)
        return session->closes || nothing_comes;
    return nothing_comes && session->stream->phase < HTTP1_READ;
}

static bool session_fill(void *argument)
{
    struct http1_session *session = argument;
    while (session->connection->bytes.output.bytes < BYTE_STREAM_OUTPUT_BYTES) {
        take_pending(session);
        if (!is_over(session))
            break;
        if (!end_stream(session))
            return false;
    }
    return !is_done(session);
}

static bool session_wants_input(void *argument)
{
    const struct http1_session *session = argument;
    const struct http1_stream *stream = session->stream;
    return session->pending.bytes < PIPELINE_BYTES &&
           (stream == NULL || stream->unconsumed < REQUEST_WINDOW_BYTES);
}

/* The answer behind which nothing waits is the last. Without a request it ends when the notice is
 * over, or, before the first one, when that does not come in time. */
static void session_drain(void *argument)
{
    struct http1_session *session = argument;
    session->draining = true;
    if (session->stream == NULL && session->served)
        rest(session);
}

/* Has the client sent what is not looked at yet? */
static bool has_more(const struct http1_session *session)
{
    return session->pending.bytes > 0 || byte_stream_has_input(&session->connection->bytes);
}

/* Behind a request that is not read to its end nothing else can be seen. */
bool http1_session_outlives_answer(struct http1_session *session)
{
    return !is_reading(session) && session->drain_answers++ < DRAIN_ANSWERS_MAX &&
           has_more(session);
}

/* The time is up for a head, for the next request, or for an answer that nobody may wait for. */
static bool session_end(void *argument)
{
    struct http1_session *session = argument;
    struct http1_stream *stream = session->stream;
    if (stream == NULL && session->served && has_more(session)) {
        rest(session); /* we are late, and not the client */
        return false;
    }
    if (stream == NULL && !session->served)
        client_connection_record_fault(session->connection, CLIENT_FAULT_HEAD_TIMEOUT);
    if (stream != NULL && stream->exchange == NULL)
        http1_stream_refuse(stream,
                            (struct request_verdict){408, "The request did not arrive in time."});
    else if (stream != NULL)
        stream->cut = true;
    session->closes = true;
    return true;
}

static bool session_input_ended(void *argument)
{
    struct http1_session *session = argument;
    session->input_ended = true;
    bool is_tunnel = session->stream != NULL && session->stream->phase == HTTP1_IN_TUNNEL;
    if (is_tunnel)
        byte_stream_flush_soon(&session->connection->bytes);
    else
        client_connection_await_answer(session->connection);
    return is_tunnel || !is_done(session);
}

static void session_free(void *argument)
{
    struct http1_session *session = argument;
    if (session->stream != NULL)
        http1_stream_free(session->stream);
    byte_queue_done(&session->pending);
    free(session);
}

const struct client_session_methods http1_session_methods = {
    .receive = session_receive,
    .fill = session_fill,
    .wants_input = session_wants_input,
    .drain = session_drain,
    .end = session_end,
    .input_ended = session_input_ended,
    .free = session_free,
};

struct http1_session *http1_session_new(struct client_connection *connection)
{
    struct http1_session *session = memory_zalloc(sizeof(*session));
    session->connection = connection;
    session->draining = connection->environment->draining;
    byte_queue_init(&session->pending, &connection->environment->exchanges->io->buffers);
    return session;
}
