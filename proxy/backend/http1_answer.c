/*
 * What an endpoint answers over HTTP/1.1. An answer with a plain head is read by counting; all
 * others by llhttp in strict mode and by our own checks.
 */
#include "proxy/backend/http1_internal.h"

#include "proxy/backend/http1_plain_head.h"
#include "proxy/http1/http1_guard.h"

/* What llhttp wants to hear from on_headers_complete when the message ends with its head. */
enum { SKIP_CONTENT = 1 };

/* Between two pieces of content, or behind the last one. */
enum { FRAME_BYTES_MAX = BACKEND_HEADER_BYTES + HTTP1_EXTENSION_BYTES + 64 };

/* "HTTP/1.1 200 ": where the status stands in its line, and the byte behind it. */
enum { STATUS_AT = 9, STATUS_LINE_BYTES = 13 };

static struct http1_connection *connection_of_parser(llhttp_t *parser)
{
    return parser->data;
}

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

/* The previous field is known to be complete when the next begins or the section ends. */
static int finish_field(struct http1_connection *connection)
{
    if (!connection->field_pending)
        return 0;
    connection->field_pending = false;
    enum builder_result result = response_builder_field(
        &connection->builder, connection->stream.arena, piecewise_view(&connection->field.name),
        strview_trim(piecewise_view(&connection->field.value)));
    http1_field_reset(&connection->field);
    return result == BUILDER_OK ? 0 : builder_failed(connection, result);
}

static bool is_piece_too_large(const struct http1_connection *connection, size_t length)
{
    return http1_field_bytes(&connection->field) + length > BACKEND_HEADER_BYTES;
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
    http1_field_add_name(&connection->field, connection->stream.arena, at, length);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_connection *connection = connection_of_parser(parser);
    if (is_piece_too_large(connection, length))
        return parse_failed(connection, BACKEND_FAULT_HEADER_LIMIT);
    http1_field_add_value(&connection->field, connection->stream.arena, at, length);
    connection->field_pending = true;
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct http1_connection *connection = connection_of_parser(parser);
    connection->field_pending = true; /* also for an empty value */
    return finish_field(connection);
}

/* llhttp reads folded lines in its own way (RFC 9112 section 5.2): what we make of them has to be
 * what it makes of them. */
static bool parser_agrees(const struct http1_connection *connection, bool chunked)
{
    const llhttp_t *parser = &connection->parser;
    int64_t length = connection->builder.head.content_length;
    return ((parser->flags & F_CHUNKED) != 0) == chunked &&
           (length == CONTENT_LENGTH_UNKNOWN || parser->content_length == (uint64_t)length);
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
    if (!parser_agrees(connection, codings > 0))
        return false;
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

static bool names(const struct headers *headers, enum header_token token, struct strview word)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        struct strview list = headers->fields[i].value;
        struct strview element;
        while (headers->fields[i].token == token && strview_next_element(&list, &element)) {
            if (strview_equal_ignore_case(element, word))
                return true;
        }
    }
    return false;
}

/* The Upgrade that was asked for, and no other (RFC 9110 section 7.8, RFC 6455 section 4.1). */
static int begin_tunnel(struct http1_connection *connection)
{
    struct backend_stream *stream = &connection->stream;
    struct response_head *head = &connection->builder.head;
    if (!stream->request->websocket ||
        !names(&head->headers, HEADER_CONNECTION, STRVIEW("upgrade")) ||
        !names(&head->headers, HEADER_UPGRADE, STRVIEW("websocket")))
        return parse_failed(connection, BACKEND_FAULT_MALFORMED);
    connection->parser.upgrade = 0; /* what follows is not llhttp's business */
    connection->head_done = true;
    connection->tunnel = true;
    connection->request_ended = false;
    head->has_body = true;
    stream->events->on_response_head(stream->owner, head);
    if (!connection->has_stream || stream->finished)
        return HPE_USER;
    response_builder_restart(&connection->builder);
    return SKIP_CONTENT;
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
    if (head->status == 101)
        return begin_tunnel(connection);
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

bool http1_deliver(struct http1_connection *connection, const char *data, size_t length)
{
    struct backend_stream *stream = &connection->stream;
    receive_window_delivered(&stream->window, length);
    stream->events->on_response_body(stream->owner, connection->read_buffer, data, length);
    return connection->has_stream && !stream->finished;
}

static bool deliver_counted(struct http1_connection *connection, const char *data, size_t length)
{
    size_t part = length < connection->body_left ? length : (size_t)connection->body_left;
    connection->body_left -= part;
    if (part > 0 && !http1_deliver(connection, data, part))
        return false;
    if (connection->body_left > 0)
        return true;
    connection->message_done = true;
    connection->may_keep = true;
    connection->behind_bytes = length - part;
    http1_finish_answer(connection);
    return false;
}

/* The head is plain and in the builder; `length` bytes follow it. */
static bool take_plain_answer(struct http1_connection *connection, const char *data, size_t length)
{
    struct backend_stream *stream = &connection->stream;
    struct response_head *head = &connection->builder.head;
    response_builder_head_done(&connection->builder, stream->request->method, false);
    connection->reader = HTTP1_READER_COUNT;
    connection->body_left = head->has_body ? (uint64_t)head->content_length : 0;
    connection->head_done = true;
    obey_keep_alive(connection);
    stream->events->on_response_head(stream->owner, head);
    if (!connection->has_stream || stream->finished)
        return false;
    response_builder_restart(&connection->builder); /* no trailers */
    return deliver_counted(connection, data, length);
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    connection_of_parser(parser)->content_came = true;
    return http1_deliver(connection_of_parser(parser), at, length) ? 0 : HPE_USER;
}

/* Extensions are dropped, but not without end (RFC 9112 section 7.1.1). */
static int on_chunk_extension(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_connection *connection = connection_of_parser(parser);
    (void)at;
    connection->extension_bytes += length;
    return connection->extension_bytes > HTTP1_EXTENSION_BYTES ? HPE_USER : 0;
}

/* Pauses the parser, so that bytes behind the message are seen and not read as another one. */
static int on_message_complete(llhttp_t *parser)
{
    struct http1_connection *connection = connection_of_parser(parser);
    int result = finish_field(connection);
    if (result != 0)
        return result;
    if (connection->tunnel)
        return HPE_PAUSED;
    if (connection->head_done) {
        connection->message_done = true;
        connection->may_keep = llhttp_should_keep_alive(parser);
    } else {
        response_builder_restart(&connection->builder); /* an interim answer; the next follows */
        connection->line_bytes = 0;
    }
    return HPE_PAUSED;
}

static const llhttp_settings_t parser_settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

void http1_finish_answer(struct http1_connection *connection)
{
    struct backend_stream *stream = &connection->stream;
    deadline_stop(&connection->deadline);
    stream->finished = true;
    stream->events->on_response_end(stream->owner, &connection->builder.head.headers);
}

/* Three digits and no line before them (RFC 9112 section 4); llhttp takes any number of both. */
static bool has_good_status(struct http1_connection *connection, const char *data, size_t length)
{
    size_t first = connection->line_bytes;
    size_t end = first + length < STATUS_LINE_BYTES ? first + length : STATUS_LINE_BYTES;
    for (size_t i = first > STATUS_AT ? first : STATUS_AT; i < end; i++) {
        char c = data[i - first];
        bool is_good = i < STATUS_AT + 3 ? c >= '0' && c <= '9' : c == ' ' || c == '\r';
        if (!is_good)
            return false;
    }
    connection->line_bytes = end;
    return true;
}

static void parser_begin(struct http1_connection *connection)
{
    connection->reader = HTTP1_READER_PARSER;
    llhttp_init(&connection->parser, HTTP_RESPONSE, &parser_settings);
    connection->parser.data = connection;
}

/* What stands between pieces of content says little: the size of a chunk with zeros in front, an
 * extension, at last the trailers. llhttp would read zeros for ever. */
static bool frame_is_endless(struct http1_connection *connection, size_t length)
{
    if (!connection->head_done || connection->content_came)
        connection->frame_bytes = 0;
    else
        connection->frame_bytes += length;
    return connection->frame_bytes > FRAME_BYTES_MAX;
}

static bool parse(struct http1_connection *connection, const char *data, size_t length)
{
    while (length > 0) {
        if (connection->line_bytes < STATUS_LINE_BYTES &&
            !has_good_status(connection, data, length)) {
            http1_fail(connection, BACKEND_FAULT_MALFORMED, false);
            return false;
        }
        connection->content_came = false;
        llhttp_errno_t error = llhttp_execute(&connection->parser, data, length);
        if (connection->state != HTTP1_BUSY || !connection->has_stream ||
            connection->stream.finished)
            return false; /* the owner closed it in an event */
        bool good =
            error == HPE_PAUSED || (error == HPE_OK && !frame_is_endless(connection, length));
        if (!good)
            http1_fail(connection, connection->parse_fault, false);
        if (!good || error == HPE_OK)
            return good;
        const char *position = llhttp_get_error_pos(&connection->parser);
        length -= (size_t)(position - data);
        data = position;
        if (connection->tunnel)
            return length == 0 || http1_deliver(connection, data, length);
        if (connection->message_done) {
            connection->behind_bytes = length;
            http1_finish_answer(connection);
            return false;
        }
        llhttp_resume(&connection->parser);
    }
    return true;
}

bool http1_parse_answer(struct http1_connection *connection, const char *data, size_t length)
{
    if (connection->reader == HTTP1_READER_COUNT)
        return deliver_counted(connection, data, length);
    if (connection->reader == HTTP1_READER_NONE) {
        struct backend_stream *stream = &connection->stream;
        size_t head = http1_plain_head(&connection->builder, stream->arena, stream->request->method,
                                       strview_make(data, length));
        if (head > 0)
            return take_plain_answer(connection, data + head, length - head);
        parser_begin(connection);
    }
    return parse(connection, data, length);
}

bool http1_answer_ends_with_connection(struct http1_connection *connection)
{
    if (!connection->head_done || connection->reader != HTTP1_READER_PARSER)
        return false;
    llhttp_errno_t error = llhttp_finish(&connection->parser);
    return (error == HPE_OK || error == HPE_PAUSED) && connection->message_done;
}

void http1_answer_init(struct http1_connection *connection)
{
    connection->field_pending = false;
    http1_field_reset(&connection->field);
    connection->head_done = false;
    connection->message_done = false;
    connection->tunnel = false;
    connection->ends_output = false;
    connection->may_keep = false;
    connection->answer_bytes = 0;
    connection->head_bytes = 0;
    connection->line_bytes = 0;
    connection->extension_bytes = 0;
    connection->frame_bytes = 0;
    connection->reader = HTTP1_READER_NONE;
    response_builder_init(&connection->builder);
}
