/*
 * HTTP/1.1 towards an endpoint: one request at a time on a kept-alive connection, answers read by
 * llhttp in strict mode. A connection goes back to the pool only when both messages ended as they
 * should and nothing else was on the wire; otherwise it is closed.
 */
#include "proxy/backend/connection.h"

#include <llhttp.h>
#include <stdlib.h>

#include "proxy/backend/http1_request.h"
#include "proxy/backend/response_builder.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/net/byte_stream.h"

/* What llhttp wants to hear from on_headers_complete when the message ends with its head. */
enum { SKIP_CONTENT = 1 };

enum http1_state { HTTP1_CONNECTING, HTTP1_BUSY, HTTP1_IDLE, HTTP1_CLOSED };

/* A name or value that reads may cut into pieces. In the stream's arena. */
struct piecewise {
    char *bytes;
    size_t length;
    size_t capacity;
};

struct http1_connection {
    struct backend_stream stream; /* valid while has_stream */
    struct byte_stream bytes;
    struct backend_pool *pool;
    struct list node;
    struct deadline deadline; /* connecting, or idle in the pool */
    struct task reap;
    enum http1_state state;
    bool has_stream;
    bool reused;
    uint64_t keep_alive_ms;

    /* the request */
    bool chunked;
    bool request_ended;
    uint64_t written_before; /* by the connection, when this request was opened */
    size_t unreported;       /* body bytes appended to the output, not yet reported as consumed */

    /* the answer */
    llhttp_t parser;
    struct response_builder builder;
    struct buffer *read_buffer; /* during llhttp_execute */
    struct piecewise field_name;
    struct piecewise field_value;
    bool field_pending;
    bool head_done;
    bool message_done;
    bool may_keep;       /* the answer allows another request */
    size_t answer_bytes; /* read since the request was sent */
    size_t head_bytes;   /* of answer_bytes, before the final head was complete */
    enum backend_fault parse_fault;
};

static struct http1_connection *connection_of(struct backend_stream *stream)
{
    return LIST_ENTRY(stream, struct http1_connection, stream);
}

static struct http1_connection *connection_of_parser(llhttp_t *parser)
{
    return parser->data;
}

/* --- closing ------------------------------------------------------------------------------- */

static void run_reap(struct task *task)
{
    free(LIST_ENTRY(task, struct http1_connection, reap));
}

/* Closes the socket; the memory goes when the stream is closed as well. */
static void close_connection(struct http1_connection *connection)
{
    if (connection->state != HTTP1_CLOSED) {
        connection->state = HTTP1_CLOSED;
        deadline_stop(&connection->deadline);
        byte_stream_close(&connection->bytes);
        list_remove(&connection->node);
        connection->pool->connection_count--;
    }
    if (!connection->has_stream)
        task_schedule(&connection->pool->io->loop, &connection->reap);
}

/* Not a byte of the request has left: the endpoint cannot know of it, nor answer it. */
static bool is_unsent(const struct http1_connection *connection)
{
    return connection->bytes.bytes_written == connection->written_before;
}

static void fail(struct http1_connection *connection, enum backend_fault fault, bool unprocessed)
{
    unprocessed = unprocessed || is_unsent(connection);
    close_connection(connection);
    if (!connection->has_stream || connection->stream.finished)
        return;
    connection->stream.finished = true;
    bool reused = connection->reused && connection->answer_bytes == 0;
    connection->stream.events->on_failed(connection->stream.owner, fault, unprocessed, reused);
}

/* --- reading the answer -------------------------------------------------------------------- */

static int parse_failed(struct http1_connection *connection, enum backend_fault fault)
{
    connection->parse_fault = fault;
    return HPE_USER;
}

static int builder_failed(struct http1_connection *connection, enum builder_result result)
{
    return parse_failed(connection, result == BUILDER_TOO_LARGE ? BACKEND_FAULT_HEADER_LIMIT
                                                                : BACKEND_FAULT_MALFORMED);
}

static struct strview piecewise_view(const struct piecewise *text)
{
    return strview_make(text->bytes, text->length);
}

/* Doubles, so that a peer that sends single bytes does not make us hold their square. */
static void piecewise_add(struct piecewise *text, struct arena *arena, const char *at,
                          size_t length)
{
    size_t needed = text->length + length;
    if (length == 0)
        return;
    if (needed > text->capacity) {
        size_t capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
        char *bytes = arena_alloc(arena, capacity);
        if (text->length > 0)
            memcpy(bytes, text->bytes, text->length);
        text->bytes = bytes;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, at, length);
    text->length = needed;
}

/* The previous field is known to be complete when the next begins or the section ends. */
static int finish_field(struct http1_connection *connection)
{
    if (!connection->field_pending)
        return 0;
    connection->field_pending = false;
    enum builder_result result = response_builder_field(
        &connection->builder, connection->stream.arena, piecewise_view(&connection->field_name),
        strview_trim(piecewise_view(&connection->field_value)));
    connection->field_name = (struct piecewise){0};
    connection->field_value = (struct piecewise){0};
    return result == BUILDER_OK ? 0 : builder_failed(connection, result);
}

static bool is_piece_too_large(const struct http1_connection *connection, size_t length)
{
    return connection->field_name.length + connection->field_value.length + length >
           BACKEND_HEADER_BYTES;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_connection *connection = connection_of_parser(parser);
    if (connection->field_pending) {
        int result = finish_field(connection);
        if (result != 0)
            return result;
    }
    if (is_piece_too_large(connection, length))
        return parse_failed(connection, BACKEND_FAULT_HEADER_LIMIT);
    struct piecewise *name = &connection->field_name;
    piecewise_add(name, connection->stream.arena, at, length);
    for (size_t i = name->length - length; i < name->length; i++)
        name->bytes[i] = ascii_lower(name->bytes[i]);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_connection *connection = connection_of_parser(parser);
    if (is_piece_too_large(connection, length))
        return parse_failed(connection, BACKEND_FAULT_HEADER_LIMIT);
    piecewise_add(&connection->field_value, connection->stream.arena, at, length);
    connection->field_pending = true;
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct http1_connection *connection = connection_of_parser(parser);
    connection->field_pending = true; /* also for an empty value */
    return finish_field(connection);
}

/*
 * Chunked, once, in HTTP/1.1 and without a length beside it is the only transfer coding that we
 * understand (RFC 9112 section 6.1). An interim answer has neither (RFC 9110 section 15.2).
 */
static bool has_good_framing(const struct http1_connection *connection, bool http11)
{
    const struct response_head *head = &connection->builder.head;
    bool has_length = head->content_length != CONTENT_LENGTH_UNKNOWN;
    uint32_t codings = 0;
    for (uint32_t i = 0; i < head->headers.count; i++) {
        const struct header_field *field = &head->headers.fields[i];
        if (field->token != HEADER_TRANSFER_ENCODING)
            continue;
        codings++;
        if (!strview_equal_ignore_case(field->value, STRVIEW("chunked")))
            return false;
    }
    if (head->status < 200)
        return !has_length && codings == 0;
    return codings == 0 || (codings == 1 && http11 && !has_length);
}

/* An unused connection is closed before the endpoint says that it would (RFC 2068
 * section 19.7.1.1). */
static void obey_keep_alive(struct http1_connection *connection)
{
    const struct header_field *field =
        headers_find(&connection->builder.head.headers, HEADER_KEEP_ALIVE);
    if (field == NULL)
        return;
    struct strview list = field->value;
    struct strview element;
    while (strview_next_element(&list, &element)) {
        uint64_t seconds = 0;
        if (!strview_starts_with(element, STRVIEW("timeout=")) ||
            !strview_to_u64(strview_from(element, 8), 86400, &seconds))
            continue;
        uint64_t limit_ms = seconds > 1 ? (seconds - 1) * 1000 : 1;
        if (connection->keep_alive_ms == 0 || limit_ms < connection->keep_alive_ms)
            connection->keep_alive_ms = limit_ms;
    }
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http1_connection *connection = connection_of_parser(parser);
    int result = finish_field(connection);
    if (result != 0)
        return result;
    bool http11 = parser->http_major == 1 && parser->http_minor == 1;
    bool http10 = parser->http_major == 1 && parser->http_minor == 0;
    struct response_head *head = &connection->builder.head;
    head->status = parser->status_code;
    if (!(http11 || http10) || !has_good_framing(connection, http11))
        return parse_failed(connection, BACKEND_FAULT_MALFORMED);
    enum http_method method = connection->stream.request->method;
    enum builder_result built = response_builder_head_done(&connection->builder, method, false);
    if (built != BUILDER_OK)
        return builder_failed(connection, built);
    struct backend_stream *stream = &connection->stream;
    if (head->status < 200) {
        stream->events->on_interim_head(stream->owner, head);
        return connection->has_stream && !stream->finished ? SKIP_CONTENT : HPE_USER;
    }
    connection->head_done = true;
    obey_keep_alive(connection);
    stream->events->on_response_head(stream->owner, head);
    if (!connection->has_stream || stream->finished)
        return HPE_USER;
    response_builder_restart(&connection->builder); /* for trailers */
    return response_has_no_content(method, parser->status_code) ? SKIP_CONTENT : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_connection *connection = connection_of_parser(parser);
    struct backend_stream *stream = &connection->stream;
    receive_window_delivered(&stream->window, length);
    stream->events->on_response_body(stream->owner, connection->read_buffer, at, length);
    return connection->has_stream && !stream->finished ? 0 : HPE_USER;
}

/* Pauses the parser, so that bytes behind the message are seen and not read as another one. */
static int on_message_complete(llhttp_t *parser)
{
    struct http1_connection *connection = connection_of_parser(parser);
    int result = finish_field(connection);
    if (result != 0)
        return result;
    if (connection->head_done) {
        connection->message_done = true;
        connection->may_keep = llhttp_should_keep_alive(parser);
    } else {
        response_builder_restart(&connection->builder); /* an interim answer; the next follows */
    }
    return HPE_PAUSED;
}

static const llhttp_settings_t parser_settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void finish_answer(struct http1_connection *connection)
{
    struct backend_stream *stream = &connection->stream;
    deadline_stop(&connection->deadline);
    stream->finished = true;
    stream->events->on_response_end(stream->owner, &connection->builder.head.headers);
}

/* Parses until the bytes, the message or the stream ends; false when the stream is done with. */
static bool parse(struct http1_connection *connection, const char *data, size_t length)
{
    while (length > 0) {
        llhttp_errno_t error = llhttp_execute(&connection->parser, data, length);
        if (connection->state != HTTP1_BUSY || !connection->has_stream ||
            connection->stream.finished)
            return false; /* the owner closed it in an event */
        if (error == HPE_OK)
            return true;
        if (error != HPE_PAUSED) {
            fail(connection, connection->parse_fault, false);
            return false;
        }
        const char *position = llhttp_get_error_pos(&connection->parser);
        length -= (size_t)(position - data);
        data = position;
        if (connection->message_done) {
            connection->may_keep = connection->may_keep && length == 0;
            finish_answer(connection);
            return false;
        }
        llhttp_resume(&connection->parser);
    }
    return true;
}

static void on_bytes(struct byte_stream *bytes, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    if (!connection->has_stream || connection->stream.finished) {
        /* Nobody asked. While the owner still holds a finished stream, remember not to keep it. */
        connection->may_keep = false;
        if (!connection->has_stream)
            close_connection(connection);
        return;
    }
    if (is_unsent(connection)) {
        /* Said before we asked: never the answer to this request (RFC 9112 section 9.2). */
        fail(connection, BACKEND_FAULT_RESET, true);
        return;
    }
    connection->answer_bytes += length;
    if (!connection->head_done)
        connection->head_bytes += length;
    connection->parse_fault = BACKEND_FAULT_MALFORMED;
    connection->read_buffer = buffer;
    bool goes_on = parse(connection, data, length);
    connection->read_buffer = NULL;
    if (!goes_on)
        return;
    if (!connection->head_done && connection->head_bytes > BACKEND_HEADER_BYTES)
        fail(connection, BACKEND_FAULT_HEADER_LIMIT, false);
    else if (connection->stream.window.held >= connection->stream.window.size)
        byte_stream_pause(bytes);
}

static void on_end(struct byte_stream *bytes, enum byte_stream_end end)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    if (end == BYTE_STREAM_NO_SOCKET) {
        fail(connection, BACKEND_FAULT_OVERLOAD, true);
        return;
    }
    if (end == BYTE_STREAM_CONNECT_FAILED) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        fail(connection, BACKEND_FAULT_CONNECT, true);
        return;
    }
    /* An answer without length ends with the connection (RFC 9112 section 6.3, item 8). */
    if (end == BYTE_STREAM_EOF && connection->has_stream && !connection->stream.finished &&
        connection->head_done) {
        llhttp_errno_t error = llhttp_finish(&connection->parser);
        if ((error == HPE_OK || error == HPE_PAUSED) && connection->message_done) {
            connection->may_keep = false;
            finish_answer(connection);
            if (connection->state != HTTP1_CLOSED)
                close_connection(connection);
            return;
        }
    }
    fail(connection, BACKEND_FAULT_RESET, false);
}

/* --- sending the request ------------------------------------------------------------------- */

static void on_open(struct byte_stream *bytes)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    deadline_stop(&connection->deadline);
    endpoint_connected(connection->pool->endpoint);
    connection->state = HTTP1_BUSY;
}

/* Body bytes count as consumed once the output holds less than they are. */
static void on_written(struct byte_stream *bytes)
{
    struct http1_connection *connection = LIST_ENTRY(bytes, struct http1_connection, bytes);
    size_t waiting = bytes->output.bytes;
    if (connection->unreported <= waiting || !connection->has_stream)
        return;
    size_t left = connection->unreported - waiting;
    connection->unreported = waiting;
    struct backend_stream *stream = &connection->stream;
    if (!stream->finished)
        stream->events->on_request_consumed(stream->owner, left);
}

static const struct byte_stream_events byte_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_written = on_written,
    .on_end = on_end,
};

static void send_body(struct backend_stream *stream, struct buffer *source, const char *data,
                      size_t length)
{
    struct http1_connection *connection = connection_of(stream);
    if (connection->state == HTTP1_CLOSED)
        return;
    if (connection->chunked)
        http1_request_write_chunk(&connection->bytes.output, source, data, length);
    else
        byte_queue_append_slice(&connection->bytes.output, source, data, length);
    connection->unreported += length;
    byte_stream_flush_soon(&connection->bytes);
}

static void send_end(struct backend_stream *stream, const struct headers *trailers)
{
    struct http1_connection *connection = connection_of(stream);
    connection->request_ended = true;
    if (connection->state == HTTP1_CLOSED || !connection->chunked)
        return;
    http1_request_write_last_chunk(&connection->bytes.output, trailers);
    byte_stream_flush_soon(&connection->bytes);
}

static void consumed(struct backend_stream *stream, size_t length)
{
    struct http1_connection *connection = connection_of(stream);
    receive_window_consumed(&stream->window, length);
    if (connection->state == HTTP1_BUSY && connection->bytes.paused &&
        stream->window.held <= stream->window.size / 2)
        byte_stream_resume(&connection->bytes);
}

static void on_deadline(struct deadline *deadline)
{
    struct http1_connection *connection = LIST_ENTRY(deadline, struct http1_connection, deadline);
    if (connection->state == HTTP1_CONNECTING) {
        endpoint_connect_failed(connection->pool->endpoint, connection->pool->io->loop.now_ms);
        fail(connection, BACKEND_FAULT_CONNECT_TIMEOUT, true);
    } else {
        close_connection(connection);
    }
}

/* Back to the pool, but only if both messages are over and nothing else is on the wire. */
static void close_stream(struct backend_stream *stream)
{
    struct http1_connection *connection = connection_of(stream);
    bool clean = connection->state == HTTP1_BUSY && connection->message_done &&
                 connection->may_keep && connection->request_ended &&
                 connection->bytes.output.bytes == 0;
    receive_window_done(&stream->window);
    connection->has_stream = false;
    connection->pool->in_flight--;
    if (!clean) {
        close_connection(connection);
        return;
    }
    connection->state = HTTP1_IDLE;
    byte_stream_resume(&connection->bytes);
    list_remove(&connection->node);
    list_prepend(&connection->pool->idle, &connection->node);
    deadline_start(&connection->pool->io->loop, &connection->deadline, connection->keep_alive_ms);
}

static const struct backend_stream_methods stream_methods = {
    .send_body = send_body,
    .send_end = send_end,
    .consumed = consumed,
    .close = close_stream,
};

static struct http1_connection *connect_new(struct backend_pool *pool,
                                            const struct timeouts *timeouts)
{
    struct http1_connection *connection = memory_zalloc(sizeof(*connection));
    connection->pool = pool;
    connection->state = HTTP1_CONNECTING;
    list_init(&connection->node);
    task_init(&connection->reap, run_reap);
    deadline_init(&connection->deadline, on_deadline);
    deadline_start(&pool->io->loop, &connection->deadline, (uint64_t)timeouts->connect_ms);
    byte_stream_connect(&connection->bytes, pool->io, &pool->endpoint->address, &byte_events);
    list_append(&pool->connections, &connection->node);
    pool->connection_count++;
    return connection;
}

static struct http1_connection *take_idle(struct backend_pool *pool)
{
    if (list_is_empty(&pool->idle))
        return NULL;
    struct http1_connection *connection =
        LIST_ENTRY(pool->idle.next, struct http1_connection, node);
    list_remove(&connection->node);
    list_append(&pool->connections, &connection->node);
    deadline_stop(&connection->deadline);
    connection->state = HTTP1_BUSY;
    connection->reused = true;
    return connection;
}

struct backend_stream *http1_open_stream(struct backend_pool *pool,
                                         const struct backend_stream_options *options)
{
    struct http1_connection *connection = take_idle(pool);
    if (connection == NULL && pool->connection_count >= BACKEND_POOL_CONNECTIONS_MAX)
        return failed_stream_open(pool, options, BACKEND_FAULT_OVERLOAD);
    if (connection == NULL)
        connection = connect_new(pool, options->timeouts);

    stream_init(&connection->stream, pool, &stream_methods, options);
    connection->has_stream = true;
    connection->keep_alive_ms = (uint64_t)options->timeouts->keep_alive_ms;
    connection->chunked = http1_request_is_chunked(options->request);
    connection->request_ended = !options->request->has_body;
    connection->unreported = 0;
    connection->written_before = connection->bytes.bytes_written;
    connection->field_pending = false;
    connection->field_name = (struct piecewise){0};
    connection->field_value = (struct piecewise){0};
    connection->head_done = false;
    connection->message_done = false;
    connection->may_keep = false;
    connection->answer_bytes = 0;
    connection->head_bytes = 0;
    response_builder_init(&connection->builder);
    llhttp_init(&connection->parser, HTTP_RESPONSE, &parser_settings);
    connection->parser.data = connection;
    http1_request_write_head(&connection->bytes.output, options->request);
    byte_stream_flush_soon(&connection->bytes);
    return &connection->stream;
}

static void close_list(struct list *list)
{
    while (!list_is_empty(list))
        close_connection(LIST_ENTRY(list->next, struct http1_connection, node));
}

void http1_close_connections(struct backend_pool *pool)
{
    close_list(&pool->idle);
}
