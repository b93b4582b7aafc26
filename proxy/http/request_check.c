#include "proxy/http/request_check.h"

#include "proxy/net/address.h"

/* Unreserved characters (RFC 3986 section 2.3): one bit a character, 32 … 127. */
static bool byte_is_in_name(char byte)
{
    static const uint32_t bits[4] = {0, 0x03ff6000, 0x87fffffe, 0x47fffffe};
    unsigned char c = (unsigned char)byte;
    return c < 128 && ((bits[c >> 5] >> (c & 31)) & 1) != 0;
}

bool authority_is_valid(struct strview authority)
{
    if (authority.length == 0 || authority.length > 255 + 6)
        return false;
    size_t host = authority.length;
    if (authority.data[0] == '[') {
        size_t end = strview_find(authority, ']');
        if (end == authority.length)
            return false;
        struct strview literal = strview_make(authority.data + 1, end - 1);
        struct ip_address ip;
        if (strview_find(literal, ':') == literal.length || !ip_parse(literal, &ip))
            return false;
        host = end + 1;
    } else {
        host = strview_find(authority, ':');
        for (size_t i = 0; i < host; i++) {
            if (!byte_is_in_name(authority.data[i]))
                return false;
        }
    }
    if (host == 0)
        return false;
    if (host == authority.length)
        return true;
    uint64_t port = 0;
    return authority.data[host] == ':' &&
           strview_to_u64(strview_from(authority, host + 1), 65535, &port);
}

static bool fields_are_valid(const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        if (!header_field_is_valid(&headers->fields[i]))
            return false;
    }
    return true;
}

static struct request_verdict refuse(int status, const char *detail)
{
    return (struct request_verdict){status, detail};
}

static struct request_verdict method_check(const struct request_head *request)
{
    if (request->method == METHOD_OTHER && !header_name_is_token(request->method_text))
        return refuse(400, "The request method is not valid.");
    if (request->method == METHOD_OTHER)
        return refuse(501, "The request method is not supported.");
    if (request->method == METHOD_CONNECT)
        return refuse(501, "CONNECT is not supported.");
    if (request->method == METHOD_TRACE)
        return refuse(405, "TRACE is not allowed.");
    return refuse(0, NULL);
}

/* Where it goes: whoever is asked, and for what. */
static struct request_verdict target_check(const struct request_head *request)
{
    if (!authority_is_valid(request->authority))
        return refuse(400, "The request names no valid host.");
    /* RFC 9113 section 8.3.1 */
    if (request->has_host && !strview_equal(request->host, request->authority))
        return refuse(400, "The request names two hosts.");
    if (request->path_kind == PATH_INVALID)
        return refuse(400, "The request path is not valid.");
    if (request->path_kind == PATH_ASTERISK && request->method != METHOD_OPTIONS)
        return refuse(400, "The target * is for OPTIONS alone.");
    return refuse(0, NULL);
}

struct request_verdict request_check(const struct request_head *request,
                                     const struct limits *limits)
{
    if (request->refusal.status != 0)
        return request->refusal;
    if (request->headers.bytes > limits->header_bytes ||
        request->headers.count > limits->header_fields)
        return refuse(431, "The request header fields are too large.");
    struct request_verdict verdict = method_check(request);
    if (verdict.status == 0)
        verdict = target_check(request);
    if (verdict.status != 0)
        return verdict;
    if (!fields_are_valid(&request->headers))
        return refuse(400, "A request header field is not valid.");
    if (limits->body_bytes != 0 && request->content_length > 0 &&
        (uint64_t)request->content_length > limits->body_bytes)
        return refuse(413, "The request content is too large.");
    return refuse(0, NULL);
}

bool request_ends_here(const struct request_head *request)
{
    if (request->method != METHOD_OPTIONS)
        return false;
    const struct header_field *field = headers_find(&request->headers, HEADER_MAX_FORWARDS);
    uint64_t hops = 1;
    return field != NULL && strview_to_u64(field->value, UINT32_MAX, &hops) && hops == 0;
}
