#include "proxy/compare/decode.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>

#include "proxy/core/array.h"

enum { CODINGS_MAX = 2, FIRST_OUTPUT_BYTES = 16 * 1024 };

/* What has been decoded so far; grows up to a limit. */
struct decode_output {
    char *bytes;
    size_t length;
    size_t capacity;
    size_t bytes_max;
};

static const char too_large[] = "too large when decoded";
static const char damaged[] = "a damaged content coding";

/* Room for more; false at the limit. */
static bool output_grow(struct decode_output *output)
{
    if (output->length < output->capacity)
        return true;
    if (output->capacity >= output->bytes_max)
        return false;
    size_t capacity = output->capacity == 0 ? FIRST_OUTPUT_BYTES : output->capacity * 2;
    output->capacity = capacity < output->bytes_max ? capacity : output->bytes_max;
    output->bytes = memory_realloc(output->bytes, output->capacity);
    return true;
}

/* --- gzip and deflate: zlib ---------------------------------------------------------------- */

enum { ZLIB_OR_GZIP = 15 + 32, RAW_DEFLATE = -15 };

/* One call of inflate for the room there is; false when decoding is over, *fault then says how. */
static bool inflate_some(z_stream *stream, struct decode_output *output, const char **fault)
{
    if (!output_grow(output)) {
        *fault = too_large;
        return false;
    }
    size_t room = output->capacity - output->length;
    stream->next_out = (Bytef *)output->bytes + output->length;
    stream->avail_out = (uInt)room;
    int status = inflate(stream, Z_NO_FLUSH);
    output->length += room - stream->avail_out;
    if (status == Z_STREAM_END) {
        /* gzip may consist of several members (RFC 1952 section 2.2). */
        if (stream->avail_in == 0)
            return false;
        if (inflateReset(stream) == Z_OK)
            return true;
    }
    if (status == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0))
        return true;
    *fault = damaged;
    return false;
}

static const char *inflate_body(struct strview body, int window_bits, struct decode_output *output)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body.data, .avail_in = (uInt)body.length};
    const char *fault = NULL;
    if (inflateInit2(&stream, window_bits) != Z_OK)
        return "out of memory";
    while (inflate_some(&stream, output, &fault))
        continue;
    inflateEnd(&stream);
    return fault;
}

/* "deflate" is the zlib format, but some send it bare (RFC 9110 section 8.4.1.2). */
static bool has_zlib_head(struct strview body)
{
    if (body.length < 2)
        return false;
    unsigned head = (unsigned char)body.data[0] * 256U + (unsigned char)body.data[1];
    return ((unsigned char)body.data[0] & 15) == 8 && head % 31 == 0;
}

static const char *decode_deflate(struct strview body, struct decode_output *output)
{
    return inflate_body(body, has_zlib_head(body) ? ZLIB_OR_GZIP : RAW_DEFLATE, output);
}

static const char *decode_gzip(struct strview body, struct decode_output *output)
{
    return inflate_body(body, ZLIB_OR_GZIP, output);
}

/* --- br ------------------------------------------------------------------------------------ */

static const char *decode_brotli(struct strview body, struct decode_output *output)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)body.data;
    size_t in_left = body.length;
    const char *fault = NULL;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    if (state == NULL)
        return "out of memory";
    while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && fault == NULL) {
        if (!output_grow(output)) {
            fault = too_large;
            break;
        }
        size_t room = output->capacity - output->length;
        uint8_t *out = (uint8_t *)output->bytes + output->length;
        result = BrotliDecoderDecompressStream(state, &in_left, &in, &room, &out, NULL);
        output->length = output->capacity - room;
    }
    BrotliDecoderDestroyInstance(state);
    if (fault == NULL && (result != BROTLI_DECODER_RESULT_SUCCESS || in_left > 0))
        fault = damaged;
    return fault;
}

/* --- the list ------------------------------------------------------------------------------ */

struct coding {
    struct strview name;
    const char *(*decode)(struct strview body, struct decode_output *output); /* NULL: as it is */
};

static const struct coding codings_known[] = {
    {{"gzip", 4}, decode_gzip}, {{"x-gzip", 6}, decode_gzip}, {{"deflate", 7}, decode_deflate},
    {{"br", 2}, decode_brotli}, {{"identity", 8}, NULL},
};

static const struct coding *find_coding(struct strview name)
{
    for (size_t i = 0; i < sizeof(codings_known) / sizeof(codings_known[0]); i++) {
        if (strview_equal_ignore_case(codings_known[i].name, name))
            return &codings_known[i];
    }
    return NULL;
}

static const char *decode_one(struct arena *arena, const struct coding *coding, struct strview body,
                              size_t bytes_max, struct strview *ret_body)
{
    struct decode_output output = {.bytes_max = bytes_max};
    if (coding->decode == NULL || body.length == 0) {
        *ret_body = body;
        return NULL;
    }
    const char *fault = coding->decode(body, &output);
    if (fault == NULL)
        *ret_body = arena_copy(arena, strview_make(output.bytes, output.length));
    free(output.bytes);
    return fault;
}

const char *decode_body(struct arena *arena, struct strview codings, struct strview body,
                        size_t bytes_max, struct strview *ret_body)
{
    const struct coding *found[CODINGS_MAX];
    struct strview name;
    uint32_t count = 0;
    while (strview_next_element(&codings, &name)) {
        if (count == CODINGS_MAX)
            return "too many content codings";
        found[count] = find_coding(name);
        if (found[count++] == NULL)
            return "an unknown content coding";
    }
    if (body.length > bytes_max)
        return too_large;
    /* They were applied in the order of the list. */
    while (count > 0) {
        const char *fault = decode_one(arena, found[--count], body, bytes_max, &body);
        if (fault != NULL)
            return fault;
    }
    *ret_body = body;
    return NULL;
}
