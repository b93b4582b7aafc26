/* The head of a request, compressed by us and not by nghttp2: see http2/hpack_encoder.h. */
#include "proxy/backend/http2_internal.h"
#include "proxy/core/decimal.h"

/* SETTINGS_MAX_FRAME_SIZE is never less (RFC 9113 section 6.5.2). */
enum { FRAME_BYTES = 16 * 1024, OWN_FIELDS = 5 };

static size_t block_bytes_max(const struct backend_request *request)
{
    const struct headers *headers = request->headers;
    size_t bytes = HPACK_BEGIN_BYTES + request->method_text.length + request->scheme.length +
                   request->authority.length + request->path.length + request->query.length +
                   DECIMAL_MAX_BYTES;
    for (uint32_t i = 0; i < headers->count; i++)
        bytes += headers->fields[i].name.length + headers->fields[i].value.length;
    return bytes + (headers->count + OWN_FIELDS) * (size_t)HPACK_FIELD_BYTES;
}

static struct strview path_and_query(const struct backend_request *request, struct arena *arena)
{
    struct strview path = request->path;
    struct strview query = request->query;
    if (query.length == 0)
        return path;
    char *both = arena_alloc(arena, path.length + query.length);
    memcpy(both, path.data, path.length);
    memcpy(both + path.length, query.data, query.length);
    return strview_make(both, path.length + query.length);
}

/* Writes at `to`; returns where it ends. */
static char *put_block(struct hpack_encoder *encoder, char *to,
                       const struct backend_request *request, struct arena *arena)
{
    char digits[DECIMAL_MAX_BYTES];
    struct header_field own[OWN_FIELDS] = {
        {STRVIEW(":method"), request->method_text, HEADER_METHOD, true},
        {STRVIEW(":scheme"), request->scheme, HEADER_SCHEME, true},
        {STRVIEW(":authority"), request->authority, HEADER_AUTHORITY, true},
        {STRVIEW(":path"), path_and_query(request, arena), HEADER_PATH, true},
    };
    size_t count = OWN_FIELDS - 1;
    if (request->content_length != CONTENT_LENGTH_UNKNOWN) {
        const char *end = decimal_put(digits, (uint64_t)request->content_length);
        own[count++] = (struct header_field){STRVIEW("content-length"),
                                             strview_make(digits, (size_t)(end - digits)),
                                             HEADER_CONTENT_LENGTH, true};
    }
    to = hpack_encode_begin(encoder, to);
    for (size_t i = 0; i < count; i++)
        to = hpack_encode_field(encoder, to, &own[i]);
    for (uint32_t i = 0; i < request->headers->count; i++)
        to = hpack_encode_field(encoder, to, &request->headers->fields[i]);
    return to;
}

/* RFC 9113 section 4.1. */
static void put_frame_head(char *to, size_t length, unsigned type, unsigned flags, int32_t id)
{
    const uint8_t head[IO_FRAME_HEAD_BYTES] = {
        (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length,
        (uint8_t)type,           (uint8_t)flags,         (uint8_t)(id >> 24),
        (uint8_t)(id >> 16),     (uint8_t)(id >> 8),     (uint8_t)id,
    };
    memcpy(to, head, sizeof(head));
}

/* Section 6.10: one that is too long for a frame goes on in others. */
static void append_frames(struct byte_queue *to, struct strview block, unsigned flags, int32_t id)
{
    unsigned type = NGHTTP2_HEADERS;
    do {
        char head[IO_FRAME_HEAD_BYTES];
        size_t part = block.length < FRAME_BYTES ? block.length : FRAME_BYTES;
        unsigned end = part == block.length ? NGHTTP2_FLAG_END_HEADERS : 0;
        put_frame_head(head, part, type, flags | end, id);
        byte_queue_append(to, head, sizeof(head));
        byte_queue_append(to, block.data, part);
        block = strview_from(block, part);
        type = NGHTTP2_CONTINUATION;
        flags = 0;
    } while (block.length > 0);
}

void http2_request_append(const struct http2_backend_stream *stream, struct hpack_encoder *encoder,
                          struct byte_queue *to)
{
    const struct backend_request *request = stream->base.request;
    struct arena *arena = stream->base.arena;
    size_t room = block_bytes_max(request);
    unsigned flags = request->has_body ? 0 : NGHTTP2_FLAG_END_STREAM;
    if (room > FRAME_BYTES) {
        char *block = arena_alloc(arena, room);
        const char *end = put_block(encoder, block, request, arena);
        append_frames(to, strview_make(block, (size_t)(end - block)), flags, stream->id);
        return;
    }
    char *frame = byte_queue_reserve(to, IO_FRAME_HEAD_BYTES + room);
    char *block = frame + IO_FRAME_HEAD_BYTES;
    size_t length = (size_t)(put_block(encoder, block, request, arena) - block);
    put_frame_head(frame, length, NGHTTP2_HEADERS, flags | NGHTTP2_FLAG_END_HEADERS, stream->id);
    byte_queue_commit(to, IO_FRAME_HEAD_BYTES + length);
}
