#include "monolith_stub/web_response.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_PART_BYTES = 16 * 1024, STREAM_PART_LIMIT = 16 * 1024 * 1024 };

/* What is still to be sent of a streamed body. */
struct body_stream {
    struct reply_stream source;
    struct text part;
    size_t sent;
};

static ssize_t on_body_wanted(void *context, uint64_t position, char *room, size_t room_size)
{
    (void)position;
    struct body_stream *stream = context;
    if (stream->sent == stream->part.length) {
        text_clear(&stream->part);
        stream->sent = 0;
        if (!stream->source.next(stream->source.context, &stream->part))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (stream->part.length == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t left = stream->part.length - stream->sent;
    size_t count = left < room_size ? left : room_size;
    memcpy(room, stream->part.bytes + stream->sent, count);
    stream->sent += count;
    return (ssize_t)count;
}

static void on_body_sent(void *context)
{
    struct body_stream *stream = context;
    stream->source.free(stream->source.context);
    text_done(&stream->part);
    free(stream);
}

static struct MHD_Response *stream_response(struct reply *reply)
{
    struct body_stream *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    *stream = (struct body_stream){.source = reply->stream};
    text_init(&stream->part, STREAM_PART_LIMIT);
    reply->stream = (struct reply_stream){0};
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_PART_BYTES, on_body_wanted, stream, on_body_sent);
    if (response == NULL)
        on_body_sent(stream);
    return response;
}

static struct MHD_Response *text_response(struct reply *reply)
{
    size_t length = 0;
    char *bytes = text_take(&reply->body, &length);
    if (bytes == NULL)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(bytes);
    return response;
}

/* The further fields are pairs of strings, one after the other. */
static bool add_fields(struct MHD_Response *response, const struct text *fields)
{
    const char *at = fields->bytes;
    const char *end = at + fields->length;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (MHD_add_response_header(response, at, value) != MHD_YES)
            return false;
        at = value + strlen(value) + 1;
    }
    return true;
}

struct MHD_Response *web_response_new(struct reply *reply)
{
    if (reply->fields.failed)
        return NULL;
    struct MHD_Response *response =
        reply->stream.next != NULL ? stream_response(reply) : text_response(reply);
    if (response == NULL)
        return NULL;
    bool complete = reply->content_type == NULL ||
                    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                            reply->content_type) == MHD_YES;
    for (unsigned i = 0; complete && i < reply->allow_count; i++)
        complete =
            MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow[i]) == MHD_YES;
    if (complete && (reply->fields.length == 0 || add_fields(response, &reply->fields)))
        return response;
    MHD_destroy_response(response);
    return NULL;
}
