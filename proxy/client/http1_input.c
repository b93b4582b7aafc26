/*
 * The bytes of a request: the request line is ours, fields and bodies are llhttp's in strict mode,
 * with the guard over everything that is not content.
 */
#include "proxy/client/http1_internal.h"

#include "proxy/core/check.h"

static const struct limits *limits_of(const struct http1_stream *stream)
{
    return client_connection_limits(stream->session->connection);
}

static void refuse(struct http1_stream *stream, int status, const char *detail)
{
    http1_stream_refuse(stream, (struct request_verdict){status, detail});
}

/* --- what llhttp reports ------------------------------------------------------------------- */

static int parse_failed(struct http1_stream *stream, int status, const char *detail)
{
    stream->fault = (struct request_verdict){status, detail};
    return HPE_USER;
}

static int fields_too_large(struct http1_stream *stream)
{
    return parse_failed(stream, 431, "The request header fields are too large.");
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_stream *stream = parser->data;
    if (http1_field_bytes(&stream->field) + length > limits_of(stream)->header_bytes)
        return fields_too_large(stream);
    http1_field_add_name(&stream->field, &stream->arena, at, length);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_stream *stream = parser->data;
    if (http1_field_bytes(&stream->field) + length > limits_of(stream)->header_bytes)
        return fields_too_large(stream);
    http1_field_add_value(&stream->field, &stream->arena, at, length);
    return 0;
}

static int add_trailer(struct http1_stream *stream, struct strview name, struct strview value)
{
    const struct limits *limits = limits_of(stream);
    struct headers *trailers = &stream->request_trailers;
    if (trailers->count >= limits->header_fields ||
        trailers->bytes + name.length + value.length > limits->header_bytes)
        return fields_too_large(stream);
    if (!header_value_is_valid(value))
        return parse_failed(stream, 400, "A trailer field is not valid.");
    headers_add(trailers, &stream->arena, header_token_of(name), name, value);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct http1_stream *stream = parser->data;
    struct strview name = piecewise_view(&stream->field.name);
    struct strview value = strview_trim(piecewise_view(&stream->field.value));
    int result = 0;
    if (stream->fields_done)
        result = add_trailer(stream, name, value);
    else
        http1_request_field(&stream->http1, &stream->request, &stream->arena, limits_of(stream),
                            name, value);
    http1_field_reset(&stream->field);
    return result;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http1_stream *stream = parser->data;
    stream->fields_done = true;
    parser->upgrade = 0; /* an Upgrade that we do not serve means nothing (RFC 9110 section 7.8) */
    return 0;
}

/* Shows the guard what stands before `at`; false when that is no part of a chunked body. */
static bool guard_up_to(struct http1_stream *stream, const char *at)
{
    struct http1_guard *guard = &stream->guard;
    size_t length = (size_t)(at - stream->unguarded);
    size_t taken = http1_guard_take(guard, stream->unguarded, length);
    stream->unguarded = at;
    return taken == length && guard->state != HTTP1_GUARD_BAD &&
           guard->section_bytes <= limits_of(stream)->header_bytes;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct http1_stream *stream = parser->data;
    if (stream->http1.chunked) {
        if (!guard_up_to(stream, at) || stream->guard.state != HTTP1_GUARD_DATA)
            return HPE_USER;
        stream->unguarded = at + length;
    }
    stream->unconsumed += length;
    exchange_request_body(stream->exchange, stream->session->connection->read_buffer, at, length);
    return 0;
}

/* Pauses, so that the bytes behind the message are not read as the next one's. */
static int on_message_complete(llhttp_t *parser)
{
    struct http1_stream *stream = parser->data;
    stream->message_done = true;
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

/* --- the request line ---------------------------------------------------------------------- */

/* The line is read already; llhttp knows fewer methods than we serve, and so it gets another. */
static void begin_fields(struct http1_stream *stream)
{
    static const char line[] = "POST / HTTP/1.1\r\n";
    llhttp_init(&stream->parser, HTTP_REQUEST, &parser_settings);
    stream->parser.data = stream;
    CHECK(llhttp_execute(&stream->parser, line, sizeof(line) - 1) == HPE_OK);
    http1_guard_begin_fields(&stream->guard);
    stream->phase = HTTP1_IN_FIELDS;
}

/* Without its line end; a bare LF is none (RFC 9112 section 2.2). */
static bool take_whole_line(struct http1_stream *stream)
{
    struct strview line = piecewise_view(&stream->line);
    if (line.length < 2 || line.data[line.length - 2] != '\r')
        return false;
    line.length -= 2;
    http1_request_line(&stream->http1, &stream->request, &stream->arena, line);
    return true;
}

static size_t take_line(struct http1_stream *stream, const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);
    size_t part = end != NULL ? (size_t)(end - data) + 1 : length;
    if (stream->line.length == 0 && !header_byte_is_token(data[0])) {
        refuse(stream, 400, "This is no HTTP request.");
    } else if (stream->line.length + part > limits_of(stream)->header_bytes) {
        refuse(stream, 414, "The request line is too long.");
    } else {
        piecewise_add(&stream->line, &stream->arena, data, part);
        if (end != NULL && !take_whole_line(stream))
            refuse(stream, 400, "The request line is not valid.");
        else if (stream->request.refusal.status != 0)
            http1_stream_refuse(stream, stream->request.refusal);
        else if (end != NULL)
            begin_fields(stream);
    }
    return part;
}

/* --- fields -------------------------------------------------------------------------------- */

/* The parser and our own rules have to agree about where the message ends. */
static bool parser_agrees(const struct http1_stream *stream)
{
    const llhttp_t *parser = &stream->parser;
    const struct request_head *head = &stream->request;
    bool chunked = (parser->flags & F_CHUNKED) != 0;
    return stream->message_done == !head->has_body && chunked == stream->http1.chunked &&
           (!head->has_body || chunked || parser->content_length == (uint64_t)head->content_length);
}

static void take_head(struct http1_stream *stream)
{
    http1_request_done(&stream->http1, &stream->request, &stream->arena);
    if (stream->request.refusal.status == 0 && !parser_agrees(stream))
        request_head_refuse(&stream->request, 400, "The request has no clear end.");
    if (stream->request.refusal.status != 0) {
        http1_stream_refuse(stream, stream->request.refusal);
        return;
    }
    stream->phase = stream->request.has_body ? HTTP1_IN_BODY : HTTP1_READ;
    http1_guard_begin_chunks(&stream->guard);
    http1_stream_start(stream);
}

static void refuse_by_fault(struct http1_stream *stream, const char *otherwise)
{
    if (stream->fault.status != 0)
        http1_stream_refuse(stream, stream->fault);
    else
        refuse(stream, 400, otherwise);
}

static size_t take_fields(struct http1_stream *stream, const char *data, size_t length)
{
    size_t taken = http1_guard_take(&stream->guard, data, length);
    if (stream->guard.section_bytes > limits_of(stream)->header_bytes) {
        refuse(stream, 431, "The request header fields are too large.");
    } else if (stream->guard.state == HTTP1_GUARD_BAD) {
        refuse(stream, 400, "A request header field is not valid.");
    } else {
        llhttp_errno_t error = llhttp_execute(&stream->parser, data, taken);
        bool ended = stream->guard.state == HTTP1_GUARD_END;
        if ((error != HPE_OK && error != HPE_PAUSED) || stream->fields_done != ended)
            refuse_by_fault(stream, "The request head is not valid.");
        else if (ended)
            take_head(stream);
    }
    return taken;
}

/* --- bodies -------------------------------------------------------------------------------- */

static size_t take_body(struct http1_stream *stream, const char *data, size_t length)
{
    stream->unguarded = data;
    llhttp_errno_t error = llhttp_execute(&stream->parser, data, length);
    size_t taken = length;
    if (error == HPE_PAUSED)
        taken = (size_t)(llhttp_get_error_pos(&stream->parser) - data);
    bool good = error == HPE_OK || error == HPE_PAUSED;
    if (good && stream->http1.chunked)
        good = guard_up_to(stream, data + taken) &&
               stream->message_done == (stream->guard.state == HTTP1_GUARD_END);
    if (!good)
        refuse_by_fault(stream, "The request content is not well framed.");
    else if (stream->message_done)
        http1_stream_request_complete(stream);
    return taken;
}

static size_t take_tunnel(struct http1_stream *stream, const char *data, size_t length)
{
    stream->unconsumed += length;
    exchange_request_body(stream->exchange, stream->session->connection->read_buffer, data, length);
    return length;
}

size_t http1_stream_take(struct http1_stream *stream, const char *data, size_t length)
{
    size_t taken = 0;
    while (taken < length && stream->phase != HTTP1_READ) {
        const char *at = data + taken;
        size_t left = length - taken;
        if (stream->phase == HTTP1_IN_LINE)
            taken += take_line(stream, at, left);
        else if (stream->phase == HTTP1_IN_FIELDS)
            taken += take_fields(stream, at, left);
        else if (stream->phase == HTTP1_IN_TUNNEL)
            taken += take_tunnel(stream, at, left);
        else
            taken += take_body(stream, at, left);
    }
    return taken;
}
