#include "proxy/http/request_head.h"

enum { FIELD_OVERHEAD_BYTES = 32 }; /* RFC 9113 section 6.5.2 */

void request_head_init(struct request_head *head)
{
    *head = (struct request_head){
        .method = METHOD_OTHER,
        .path_kind = PATH_INVALID,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    headers_init(&head->headers);
}

void request_head_refuse(struct request_head *head, int status, const char *detail)
{
    if (head->refusal.status == 0)
        head->refusal = (struct request_verdict){status, detail};
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
        head->authority = arena_copy_lower(arena, value);
    } else if (token == HEADER_PROTOCOL) {
        head->is_connect = true;
        head->asks_websocket = strview_equal_ignore_case(value, STRVIEW("websocket"));
        if (!head->asks_websocket)
            request_head_refuse(head, 501, "No such protocol is served here.");
    } else if (token == HEADER_HOST) {
        if (head->has_host) /* RFC 9112 section 3.2 */
            request_head_refuse(head, 400, "The request has more than one Host.");
        head->has_host = true;
        head->host = arena_copy_lower(arena, value);
    } else {
        return false;
    }
    return true;
}

/* RFC 9110 section 8.6: one number. A list of equal ones may be valid; nobody sends it in earnest.
 */
static void take_content_length(struct request_head *head, struct strview value)
{
    uint64_t length = 0;
    if (head->content_length != CONTENT_LENGTH_UNKNOWN ||
        !strview_to_u64(value, INT64_MAX, &length))
        request_head_refuse(head, 400, "The content length is not one number.");
    else
        head->content_length = (int64_t)length;
}

void request_head_field(struct request_head *head, struct arena *arena, const struct limits *limits,
                        struct strview name, struct strview value)
{
    struct headers *headers = &head->headers;
    if (headers->bytes > limits->header_bytes || headers->count > limits->header_fields)
        return;
    if (headers->bytes + name.length + value.length + FIELD_OVERHEAD_BYTES > limits->header_bytes) {
        headers->bytes = limits->header_bytes + 1; /* remembered as too much */
        return;
    }
    enum header_token token = header_token_of(name);
    if (take_part(head, arena, token, value)) {
        headers->bytes += (uint32_t)(name.length + value.length) + FIELD_OVERHEAD_BYTES;
        return;
    }
    if (token == HEADER_CONTENT_LENGTH)
        take_content_length(head, value);
    headers_add(headers, arena, token, arena_copy(arena, name), arena_copy(arena, value));
}

/* RFC 8441 section 4. What follows it is no content, and never of known length. */
static void take_connect(struct request_head *head)
{
    if (head->method != METHOD_CONNECT || !head->has_body)
        request_head_refuse(head, 400, "The request is no extended CONNECT.");
    head->method = METHOD_GET;
    head->method_text = http_method_name(METHOD_GET);
    head->content_length = CONTENT_LENGTH_UNKNOWN;
}

void request_head_done(struct request_head *head, struct arena *arena, bool has_body)
{
    head->has_body = has_body;
    if (head->is_connect)
        take_connect(head);
    if (!has_body && head->content_length > 0)
        head->content_length = 0;
    if (head->authority.length == 0)
        head->authority = head->host;
    head->path_kind = path_canonical(arena, head->target, &head->path, &head->query);
}
