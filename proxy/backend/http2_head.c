/* What RFC 9113 section 8 says about the fields of an answer and about how long its content is. */
#include "proxy/backend/http2_internal.h"

static struct strview view_of(nghttp2_rcbuf *bytes)
{
    nghttp2_vec vector = nghttp2_rcbuf_get_buf(bytes);
    return strview_make((const char *)vector.base, vector.len);
}

/* Section 8.3.2: one of three digits, before all fields and not in trailers; no other is known. */
static enum builder_result take_pseudo(struct http2_backend_stream *stream, struct strview name,
                                       struct strview value)
{
    struct response_head *head = &stream->builder.head;
    uint64_t status = 0;
    if (stream->answer_started || stream->has_fields || head->status != 0 ||
        !strview_equal(name, STRVIEW(":status")) || value.length != 3 ||
        !strview_to_u64(value, 999, &status))
        return BUILDER_MALFORMED;
    head->status = (int)status;
    return BUILDER_OK;
}

/* Section 8.2.1: a token without capitals. */
static bool name_is_valid(struct strview name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!header_byte_is_token(c) || (c >= 'A' && c <= 'Z'))
            return false;
    }
    return name.length > 0;
}

/* Section 8.2.2. */
static bool is_of_a_connection(const struct header_field *field)
{
    if (field->token == HEADER_TE)
        return !strview_equal_ignore_case(field->value, STRVIEW("trailers"));
    return field->token == HEADER_CONNECTION || field->token == HEADER_KEEP_ALIVE ||
           field->token == HEADER_PROXY_CONNECTION || field->token == HEADER_TRANSFER_ENCODING ||
           field->token == HEADER_UPGRADE;
}

/* RFC 9110 section 8.6: no length with 1xx and 204, nor in trailers. But servers do say with 204
 * that it is 0: that does not pass. */
static enum builder_result look_at_length(struct http2_backend_stream *stream, struct strview value,
                                          bool *ret_passes)
{
    struct response_head *head = &stream->builder.head;
    *ret_passes = head->status != 204;
    if (stream->answer_started || head->status < 200)
        return BUILDER_MALFORMED;
    if (*ret_passes)
        return BUILDER_OK;
    if (head->content_length != CONTENT_LENGTH_UNKNOWN || !strview_equal(value, STRVIEW("0")))
        return BUILDER_MALFORMED;
    head->content_length = 0;
    return BUILDER_OK;
}

static void forget(struct http2_known_field *known)
{
    if (known->name == NULL)
        return;
    nghttp2_rcbuf_decref(known->name);
    nghttp2_rcbuf_decref(known->value);
    known->name = NULL;
}

void http2_head_forget(struct http2_connection *connection)
{
    for (size_t i = 0; i < HTTP2_KNOWN_FIELDS; i++)
        forget(&connection->known[i]);
}

/* A short field that is valid stays known until another one comes in its place. */
static bool check(struct http2_known_field *known, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                  struct header_field *field)
{
    if (known->name == name && known->value == value) {
        field->token = known->token;
        return true;
    }
    field->token = header_token_of(field->name);
    if (!(nghttp2_rcbuf_is_static(name) || header_token_says_name(field->token) ||
          name_is_valid(field->name)) ||
        !header_value_is_valid(field->value) || is_of_a_connection(field))
        return false;
    forget(known);
    if (field->name.length + field->value.length > HTTP2_KNOWN_BYTES)
        return true;
    nghttp2_rcbuf_incref(name);
    nghttp2_rcbuf_incref(value);
    *known = (struct http2_known_field){name, value, field->token};
    return true;
}

enum builder_result http2_head_field(struct http2_backend_stream *stream, nghttp2_rcbuf *name,
                                     nghttp2_rcbuf *value)
{
    struct header_field field = {.name = view_of(name), .value = view_of(value)};
    if (field.name.length > 0 && field.name.data[0] == ':')
        return take_pseudo(stream, field.name, field.value);
    stream->has_fields = true;
    if (field.name.length + field.value.length > BACKEND_HEADER_BYTES)
        return BUILDER_TOO_LARGE;
    uint32_t place = stream->builder.head.headers.count % HTTP2_KNOWN_FIELDS;
    if (!check(&stream->connection->known[place], name, value, &field))
        return BUILDER_MALFORMED;
    if (field.token == HEADER_CONTENT_LENGTH) {
        bool passes;
        enum builder_result result = look_at_length(stream, field.value, &passes);
        if (result != BUILDER_OK || !passes)
            return result;
    }
    struct arena *arena = stream->base.arena;
    field.name_is_static = nghttp2_rcbuf_is_static(name); /* it is of RFC 7541 appendix A */
    if (!field.name_is_static)
        field.name = arena_copy(arena, field.name);
    field.value = arena_copy(arena, field.value);
    return response_builder_add(&stream->builder, arena, &field);
}

enum builder_result http2_head_done(struct http2_backend_stream *stream, bool ends)
{
    const struct response_head *head = &stream->builder.head;
    enum http_method method = stream->base.request->method;
    enum builder_result result = response_builder_head_done(&stream->builder, method, ends);
    if (result != BUILDER_OK)
        return result;
    bool is_interim = head->status < 200;
    stream->content_left = response_has_no_content(method, head->status) ? 0 : head->content_length;
    return ends && (is_interim || stream->content_left > 0) ? BUILDER_MALFORMED : BUILDER_OK;
}

bool http2_content_fits(struct http2_backend_stream *stream, size_t length)
{
    if (!stream->answer_started)
        return false;
    if (stream->content_left == CONTENT_LENGTH_UNKNOWN)
        return true;
    if (length > (uint64_t)stream->content_left)
        return false;
    stream->content_left -= (int64_t)length;
    return true;
}
