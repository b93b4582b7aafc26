#include "proxy/http1/http1_output.h"

#include <stdio.h>

static char *put(char *to, struct strview text)
{
    if (text.length > 0)
        memcpy(to, text.data, text.length);
    return to + text.length;
}

static char *put_text(char *to, struct http1_text text)
{
    for (size_t i = 0; i < text.count; i++)
        to = put(to, text.parts[i]);
    return to;
}

static size_t text_length(struct http1_text text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.count; i++)
        length += text.parts[i].length;
    return length;
}

static size_t field_length(const struct header_field *field)
{
    return field->name.length + field->value.length + 4;
}

static char *put_field(char *to, const struct header_field *field)
{
    to = put(to, field->name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, field->value);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static void append_text(struct byte_queue *output, struct http1_text text)
{
    for (size_t i = 0; i < text.count; i++)
        byte_queue_append(output, text.parts[i].data, text.parts[i].length);
}

static void append_field(struct byte_queue *output, const struct header_field *field)
{
    if (field_length(field) <= BUFFER_BYTES) {
        char *to = byte_queue_reserve(output, field_length(field));
        put_field(to, field);
        byte_queue_commit(output, field_length(field));
        return;
    }
    byte_queue_append(output, field->name.data, field->name.length);
    byte_queue_append(output, ": ", 2);
    byte_queue_append(output, field->value.data, field->value.length);
    byte_queue_append(output, "\r\n", 2);
}

void http1_write_head(struct byte_queue *output, struct http1_text before,
                      const struct headers *headers, struct http1_text after)
{
    size_t length = text_length(before) + text_length(after) + 2;
    for (uint32_t i = 0; i < headers->count; i++)
        length += field_length(&headers->fields[i]);

    if (length <= BUFFER_BYTES) {
        char *to = put_text(byte_queue_reserve(output, length), before);
        for (uint32_t i = 0; i < headers->count; i++)
            to = put_field(to, &headers->fields[i]);
        put(put_text(to, after), STRVIEW("\r\n"));
        byte_queue_commit(output, length);
        return;
    }
    append_text(output, before);
    for (uint32_t i = 0; i < headers->count; i++)
        append_field(output, &headers->fields[i]);
    append_text(output, after);
    byte_queue_append(output, "\r\n", 2);
}

void http1_write_chunk(struct byte_queue *output, struct buffer *source, const char *data,
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

void http1_write_last_chunk(struct byte_queue *output, const struct headers *trailers)
{
    byte_queue_append(output, "0\r\n", 3);
    for (uint32_t i = 0; trailers != NULL && i < trailers->count; i++)
        append_field(output, &trailers->fields[i]);
    byte_queue_append(output, "\r\n", 2);
}
