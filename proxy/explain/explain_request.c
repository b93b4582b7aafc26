#include "proxy/explain/explain_internal.h"
#include "proxy/http/request_head.h"

struct url {
    struct strview scheme;
    struct strview authority; /* empty: the URL is a path alone */
    struct strview target;
};

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
static bool split_url(struct strview text, struct arena *arena, struct url *ret_url,
                      struct fault *fault)
{
    text.length = strview_find(text, '#');
    struct url url = {.scheme = STRVIEW("https"), .target = text};
    bool plain = take_prefix(&text, STRVIEW("http://"));
    if (!plain && !take_prefix(&text, STRVIEW("https://"))) {
        *ret_url = url;
        if (text.length > 0 && (text.data[0] == '/' || strview_equal(text, STRVIEW("*"))))
            return true;
        return fault_set(fault, "a URL is like https://forum.example.org/path or /path, not `%.*s`",
                         STRVIEW_ARGS(text));
    }
    if (plain)
        url.scheme = STRVIEW("http");
    url.authority = strview_make(text.data, authority_length(text));
    url.target = strview_from(text, url.authority.length);
    if (url.target.length == 0 || url.target.data[0] != '/')
        url.target = arena_printf(arena, "/%.*s", STRVIEW_ARGS(url.target));
    *ret_url = url;
    return true;
}

static bool split_header(struct strview line, struct arena *arena, struct strview *ret_name,
                         struct strview *ret_value, struct fault *fault)
{
    size_t colon = strview_find(line, ':');
    if (colon == line.length)
        return fault_set(fault, "a header is like 'name: value', not `%.*s`", STRVIEW_ARGS(line));
    struct strview name = arena_copy(arena, strview_make(line.data, colon));
    char *bytes = (char *)(uintptr_t)name.data;
    for (size_t i = 0; i < name.length; i++)
        bytes[i] = ascii_lower(bytes[i]);
    *ret_name = name;
    *ret_value = strview_trim(strview_from(line, colon + 1));
    if (!header_name_is_token(name) || !header_value_is_valid(*ret_value))
        return fault_set(fault, "`%.*s` is no header that a client can send", STRVIEW_ARGS(line));
    return true;
}

bool explain_make_request(const struct snapshot *snapshot, const struct explain_words *words,
                          struct arena *arena, struct request_head *ret_request,
                          struct fault *fault)
{
    const struct limits *limits = &snapshot->limits;
    struct request_head request;
    struct url url;
    struct strview name;
    struct strview value;
    request_head_init(&request);
    if (!split_url(words->url, arena, &url, fault))
        return false;
    request_head_field(&request, arena, limits, STRVIEW(":method"), words->method);
    request_head_field(&request, arena, limits, STRVIEW(":scheme"), url.scheme);
    request_head_field(&request, arena, limits, STRVIEW(":path"), url.target);
    for (size_t i = 0; i < words->header_count; i++) {
        if (!split_header(words->headers[i], arena, &name, &value, fault))
            return false;
        request_head_field(&request, arena, limits, name, value);
    }
    if (url.authority.length == 0 && !request.has_host)
        url.authority = STRVIEW("localhost");
    if (url.authority.length > 0)
        request_head_field(&request, arena, limits, STRVIEW(":authority"), url.authority);
    request_head_done(&request, arena, request.content_length > 0);
    *ret_request = request;
    return true;
}
