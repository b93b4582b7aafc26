#include "proxy/client/http2_request.h"

void http2_request_init(struct request_head *head)
{
    *head = (struct request_head){
        .method = METHOD_OTHER,
        .path_kind = PATH_INVALID,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    headers_init(&head->headers);
}

static struct strview lower_copy(struct arena *arena, struct strview text)
{
    struct strview copy = arena_copy(arena, text);
    char *bytes = (char *)(uintptr_t)copy.data;
    for (size_t i = 0; i < copy.length; i++)
        bytes[i] = ascii_lower(bytes[i]);
    return copy;
}

/* True when the field was one of the message's own parts and not a header field. */
static bool take_part(struct request_head *head, struct arena *arena, enum header_token token,
                      struct strview value)
{
    if (token == HEADER_METHOD) {
        head->method = http_method_parse(value);
        head->method_text = head->method == METHOD_OTHER ? arena_copy(arena, value)
                                                         : http_method_name(head->method);
    } else if (token == HEADER_SCHEME) {
        head->scheme =
            strview_equal_ignore_case(value, STRVIEW("https")) ? STRVIEW("https") : STRVIEW("http");
    } else if (token == HEADER_PATH) {
        head->target = arena_copy(arena, value);
    } else if (token == HEADER_AUTHORITY) {
        head->authority = lower_copy(arena, value);
    } else if (token == HEADER_HOST) {
        /* :authority wins, and one Host is sent (RFC 9113 section 8.3.1). */
        if (head->authority.length == 0)
            head->authority = lower_copy(arena, value);
    } else {
        return false;
    }
    return true;
}

void http2_request_field(struct request_head *head, struct arena *arena,
                         const struct limits *limits, struct strview name, struct strview value)
{
    struct headers *headers = &head->headers;
    if (headers->bytes > limits->header_bytes || headers->count > limits->header_fields)
        return;
    if (headers->bytes + name.length + value.length + 32 > limits->header_bytes) {
        headers->bytes = limits->header_bytes + 1; /* remembered as too much */
        return;
    }
    enum header_token token = header_token_of(name);
    if (take_part(head, arena, token, value)) {
        headers->bytes += (uint32_t)(name.length + value.length) + 32;
        return;
    }
    if (token == HEADER_CONTENT_LENGTH) { /* nghttp2 has checked that there is one number */
        uint64_t length = 0;
        if (strview_to_u64(value, INT64_MAX, &length))
            head->content_length = (int64_t)length;
    }
    headers_add(headers, arena, token, arena_copy(arena, name), arena_copy(arena, value));
}

void http2_request_done(struct request_head *head, struct arena *arena, bool ends)
{
    head->has_body = !ends;
    head->path_kind = path_canonical(arena, head->target, &head->path, &head->query);
    if (ends && head->content_length > 0)
        head->content_length = 0;
}
