#include "proxy/backend/http1_request.h"

#include <stdio.h>

bool http1_request_is_chunked(const struct backend_request *request)
{
    return request->has_body && request->content_length == CONTENT_LENGTH_UNKNOWN;
}

static char *put(char *to, struct strview text)
{
    if (text.length > 0)
        memcpy(to, text.data, text.length);
    return to + text.length;
}

static size_t field_length(const struct header_field *field)
{
    return field->name.length + field->value.length + 4;
}

static char *put_field(char *to, struct strview name, struct strview value)
{
    to = put(to, name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, value);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static void append_field(struct byte_queue *output, const struct header_field *field)
{
    if (field_length(field) <= BUFFER_BYTES) {
        char *to = byte_queue_reserve(output, field_length(field));
        put_field(to, field->name, field->value);
        byte_queue_commit(output, field_length(field));
        return;
    }
    byte_queue_append(output, field->name.data, field->name.length);
    byte_queue_append(output, ": ", 2);
    byte_queue_append(output, field->value.data, field->value.length);
    byte_queue_append(output, "\r\n", 2);
}

/* How the body is framed (RFC 9112 section 6.3; RFC 9110 section 8.6 for methods that have one). */
static struct strview framing_fields(const struct backend_request *request, char buffer[static 64])
{
    if (http1_request_is_chunked(request))
        return STRVIEW("transfer-encoding: chunked\r\n");
    bool expects_body = request->method == METHOD_POST || request->method == METHOD_PUT ||
                        request->method == METHOD_PATCH;
    if (!request->has_body && !expects_body)
        return STRVIEW_NONE;
    long long length = request->has_body ? (long long)request->content_length : 0;
    int written = snprintf(buffer, 64, "content-length: %lld\r\n", length);
    return strview_make(buffer, (size_t)written);
}

void http1_request_write_head(struct byte_queue *output, const struct backend_request *request)
{
    char buffer[64];
    struct strview framing = framing_fields(request, buffer);
    static const char version[] = " HTTP/1.1\r\n";
    size_t line = request->method_text.length + 1 + request->path.length + request->query.length +
                  sizeof(version) - 1;
    size_t length =
        line + sizeof("host: \r\n\r\n") - 1 + request->authority.length + framing.length;
    for (uint32_t i = 0; i < request->headers->count; i++)
        length += field_length(&request->headers->fields[i]);

    if (length <= BUFFER_BYTES) {
        char *start = byte_queue_reserve(output, length);
        char *to = put(start, request->method_text);
        *to++ = ' ';
        to = put(to, request->path);
        to = put(to, request->query);
        to = put(to, STRVIEW(" HTTP/1.1\r\n"));
        to = put_field(to, STRVIEW("host"), request->authority);
        for (uint32_t i = 0; i < request->headers->count; i++)
            to = put_field(to, request->headers->fields[i].name, request->headers->fields[i].value);
        to = put(to, framing);
        put(to, STRVIEW("\r\n"));
        byte_queue_commit(output, length);
        return;
    }
    byte_queue_append(output, request->method_text.data, request->method_text.length);
    byte_queue_append(output, " ", 1);
    byte_queue_append(output, request->path.data, request->path.length);
    byte_queue_append(output, request->query.data, request->query.length);
    byte_queue_append(output, version, sizeof(version) - 1);
    struct header_field host = {.name = STRVIEW("host"), .value = request->authority};
    append_field(output, &host);
    for (uint32_t i = 0; i < request->headers->count; i++)
        append_field(output, &request->headers->fields[i]);
    byte_queue_append(output, framing.data, framing.length);
    byte_queue_append(output, "\r\n", 2);
}

void http1_request_write_chunk(struct byte_queue *output, struct buffer *source, const char *data,
                               size_t length)
{
    if (length == 0)
        return; /* a chunk of size zero would end the body */
    char size[24];
    int written = snprintf(size, sizeof(size), "%zx\r\n", length);
    byte_queue_append(output, size, (size_t)written);
    byte_queue_append_slice(output, source, data, length);
    byte_queue_append(output, "\r\n", 2);
}

void http1_request_write_last_chunk(struct byte_queue *output, const struct headers *trailers)
{
    byte_queue_append(output, "0\r\n", 3);
    for (uint32_t i = 0; trailers != NULL && i < trailers->count; i++)
        append_field(output, &trailers->fields[i]);
    byte_queue_append(output, "\r\n", 2);
}
