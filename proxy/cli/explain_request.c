#include "proxy/cli/explain_request.h"

/* What a field costs beside its bytes (RFC 9113 section 6.5.2). */
enum { FIELD_OVERHEAD_BYTES = 32 };

static struct strview lower_copy(struct arena *arena, struct strview text)
{
    char *lower = arena_alloc(arena, text.length + 1);
    for (size_t i = 0; i < text.length; i++)
        lower[i] = ascii_lower(text.data[i]);
    return strview_make(lower, text.length);
}

static bool take_prefix(struct strview *text, struct strview prefix)
{
    if (!strview_equal_ignore_case(
            strview_make(text->data, prefix.length < text->length ? prefix.length : text->length),
            prefix))
        return false;
    *text = strview_from(*text, prefix.length);
    return true;
}

/* Where authority ends and the target begins. */
static size_t authority_length(struct strview rest)
{
    size_t slash = strview_find(rest, '/');
    size_t question = strview_find(rest, '?');
    return slash < question ? slash : question;
}

/* RFC 3986 section 3: the scheme in any case; a fragment is never sent. */
static bool split_url(struct strview url, struct arena *arena, struct request_head *request,
                      struct fault *fault)
{
    url.length = strview_find(url, '#');
    request->scheme = STRVIEW("https");
    request->authority = STRVIEW("localhost");
    request->target = url;
    bool plain = take_prefix(&url, STRVIEW("http://"));
    if (!plain && !take_prefix(&url, STRVIEW("https://"))) {
        if (url.length > 0 && (url.data[0] == '/' || strview_equal(url, STRVIEW("*"))))
            return true;
        return fault_set(fault, "a URL is like https://forum.example.org/path or /path, not `%.*s`",
                         STRVIEW_ARGS(url));
    }
    if (plain)
        request->scheme = STRVIEW("http");
    size_t length = authority_length(url);
    request->authority = lower_copy(arena, strview_make(url.data, length));
    struct strview target = strview_from(url, length);
    bool rooted = target.length > 0 && target.data[0] == '/';
    request->target = rooted ? target : arena_printf(arena, "/%.*s", STRVIEW_ARGS(target));
    return true;
}

static bool add_header(struct strview line, struct arena *arena, struct request_head *request,
                       struct fault *fault)
{
    size_t colon = strview_find(line, ':');
    if (colon == line.length)
        return fault_set(fault, "a header is like 'name: value', not `%.*s`", STRVIEW_ARGS(line));
    struct strview name = lower_copy(arena, strview_make(line.data, colon));
    struct strview value = strview_trim(strview_from(line, colon + 1));
    if (!header_name_is_token(name) || !header_value_is_valid(value))
        return fault_set(fault, "`%.*s` is no header that a client can send", STRVIEW_ARGS(line));
    enum header_token token = header_token_of(name);
    if (token == HEADER_HOST) {
        request->authority = lower_copy(arena, value);
        return true;
    }
    uint64_t length = 0;
    if (token == HEADER_CONTENT_LENGTH && !strview_to_u64(value, INT64_MAX, &length))
        return fault_set(fault, "`%.*s`: the proxy resets such a request", STRVIEW_ARGS(line));
    if (token == HEADER_CONTENT_LENGTH)
        request->content_length = (int64_t)length;
    headers_add(&request->headers, arena, token, name, value);
    return true;
}

/* Parts of the message that HTTP/2 sends as fields (RFC 9113 section 8.3.1) count as such. */
static void charge_parts(struct request_head *request)
{
    const struct {
        struct strview name;
        struct strview value;
    } parts[] = {{STRVIEW(":method"), request->method_text},
                 {STRVIEW(":scheme"), request->scheme},
                 {STRVIEW(":authority"), request->authority},
                 {STRVIEW(":path"), request->target}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        request->headers.bytes +=
            (uint32_t)(parts[i].name.length + parts[i].value.length) + FIELD_OVERHEAD_BYTES;
}

bool explain_request_make(const struct explain_words *words, struct arena *arena,
                          struct request_head *ret_request, struct fault *fault)
{
    struct request_head request = {
        .method = http_method_parse(strview_of(words->method)),
        .method_text = strview_of(words->method),
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    headers_init(&request.headers);
    if (!split_url(strview_of(words->url), arena, &request, fault))
        return false;
    for (size_t i = 0; i < words->header_count; i++) {
        if (!add_header(strview_of(words->headers[i]), arena, &request, fault))
            return false;
    }
    charge_parts(&request);
    request.path_kind = path_canonical(arena, request.target, &request.path, &request.query);
    *ret_request = request;
    return true;
}
