#include "proxy/http1/http1_request.h"

#include "proxy/http/request_check.h"

/* --- the request line ---------------------------------------------------------------------- */

/* HTTP-version (RFC 9112 section 2.3): exactly "HTTP/" DIGIT "." DIGIT. */
static bool take_version(struct http1_request *request, struct request_head *head,
                         struct strview version)
{
    bool is_version = version.length == 8 && strview_starts_with(version, STRVIEW("HTTP/")) &&
                      version.data[5] >= '0' && version.data[5] <= '9' && version.data[6] == '.' &&
                      version.data[7] >= '0' && version.data[7] <= '9';
    if (!is_version) {
        request_head_refuse(head, 400, "The request line is not valid.");
        return false;
    }
    if (version.data[5] != '1') {
        request_head_refuse(head, 505, "This version of HTTP is not spoken here.");
        return false;
    }
    request->minor = version.data[7] == '0' ? 0 : 1;
    return true;
}

static bool take_scheme(struct request_head *head, struct strview *target)
{
    size_t colon = strview_find(*target, ':');
    struct strview scheme = strview_make(target->data, colon);
    if (!strview_starts_with(strview_from(*target, colon), STRVIEW("://")))
        return false;
    if (strview_equal_ignore_case(scheme, STRVIEW("http")))
        head->scheme = STRVIEW("http");
    else if (strview_equal_ignore_case(scheme, STRVIEW("https")))
        head->scheme = STRVIEW("https");
    else
        return false;
    *target = strview_from(*target, colon + 3);
    return true;
}

/*
 * absolute-form (RFC 9112 section 3.2.2): it names the host, and what is left is as if it had been
 * asked in origin-form. An empty path is "/", or "*" for OPTIONS (section 3.2.4).
 */
static void take_target(struct http1_request *request, struct request_head *head,
                        struct arena *arena, struct strview target)
{
    head->target = target;
    if (target.data[0] == '/' || !take_scheme(head, &target))
        return;
    size_t slash = strview_find(target, '/');
    size_t question = strview_find(target, '?');
    size_t length = slash < question ? slash : question;
    request->absolute = true;
    head->authority = arena_copy_lower(arena, strview_make(target.data, length));
    head->target = strview_from(target, length);
    if (head->target.length == 0)
        head->target = head->method == METHOD_OPTIONS ? STRVIEW("*") : STRVIEW("/");
    else if (head->target.data[0] == '?')
        head->target = arena_printf(arena, "/%.*s", STRVIEW_ARGS(head->target));
}

void http1_request_line(struct http1_request *request, struct request_head *head,
                        struct arena *arena, struct strview line)
{
    size_t first = strview_find(line, ' ');
    struct strview rest = first < line.length ? strview_from(line, first + 1) : STRVIEW_NONE;
    size_t second = strview_find(rest, ' ');
    if (first == 0 || second == 0 || second == rest.length) {
        request_head_refuse(head, 400, "The request line is not valid.");
        return;
    }
    head->method_text = strview_make(line.data, first);
    head->method = http_method_parse(head->method_text);
    head->headers.bytes += (uint32_t)line.length;
    if (take_version(request, head, strview_from(rest, second + 1)))
        take_target(request, head, arena, strview_make(rest.data, second));
}

/* --- fields -------------------------------------------------------------------------------- */

void http1_request_field(const struct http1_request *request, struct request_head *head,
                         struct arena *arena, const struct limits *limits, struct strview name,
                         struct strview value)
{
    /* RFC 9110 section 10.1.1: in HTTP/1.0 it is ignored, and so nobody behind us gets it. */
    if (request->minor == 0 && strview_equal(name, STRVIEW("expect")))
        return;
    request_head_field(head, arena, limits, name, value);
}

/* --- the whole head ------------------------------------------------------------------------ */

/* What a body is coded with; chunked, said once and alone, is all that we understand. */
struct codings {
    uint32_t fields;
    uint32_t plain;   /* fields that say "chunked" and nothing else */
    uint32_t others;  /* codings that are not chunked */
    uint32_t chunked; /* codings that are */
    bool chunked_last;
};

static void count_codings(struct codings *codings, struct strview list)
{
    codings->fields++;
    codings->plain += strview_equal_ignore_case(list, STRVIEW("chunked"));
    struct strview element;
    while (strview_next_element(&list, &element)) {
        codings->chunked_last = strview_equal_ignore_case(element, STRVIEW("chunked"));
        codings->chunked += codings->chunked_last;
        codings->others += !codings->chunked_last;
    }
}

/* RFC 9112 section 6.1 and 6.3. */
static void take_framing(struct http1_request *request, struct request_head *head,
                         const struct codings *codings)
{
    bool has_length = head->content_length != CONTENT_LENGTH_UNKNOWN;
    if (codings->fields == 0)
        return;
    request->chunked = true;
    if (request->minor == 0)
        request_head_refuse(head, 400, "HTTP/1.0 has no transfer codings.");
    else if (has_length)
        request_head_refuse(head, 400, "The request has a content length and a transfer coding.");
    else if (codings->others > 0 && codings->chunked == 1 && codings->chunked_last)
        request_head_refuse(head, 501, "The transfer coding is not supported.");
    else if (codings->fields > 1 || codings->plain == 0)
        request_head_refuse(head, 400, "The transfer coding is not valid.");
}

/* What Connection and Upgrade say. */
struct options {
    bool closes;
    bool keeps;
    bool upgrades;
    bool websocket;
};

static void take_connection(struct strview list, struct options *options)
{
    struct strview element;
    while (strview_next_element(&list, &element)) {
        options->closes |= strview_equal_ignore_case(element, STRVIEW("close"));
        options->keeps |= strview_equal_ignore_case(element, STRVIEW("keep-alive"));
        options->upgrades |= strview_equal_ignore_case(element, STRVIEW("upgrade"));
    }
}

static bool list_names(struct strview list, struct strview word)
{
    struct strview element;
    while (strview_next_element(&list, &element)) {
        if (strview_equal_ignore_case(element, word))
            return true;
    }
    return false;
}

/* RFC 9112 section 3.2: exactly one Host, also beside an absolute target; HTTP/1.0 may lack it. */
static void take_host(const struct http1_request *request, struct request_head *head)
{
    if (!head->has_host && request->minor > 0)
        request_head_refuse(head, 400, "The request has no Host.");
    if (!request->absolute)
        return;
    if (head->authority.length == 0 || (head->has_host && !authority_is_valid(head->host)))
        request_head_refuse(head, 400, "The request names no valid host.");
    head->has_host = false; /* section 3.2.2: the target's is the one */
}

/* RFC 6455 section 4.1. Any other Upgrade is as good as none (RFC 9110 section 7.8). */
static bool asks_websocket(const struct http1_request *request, const struct request_head *head,
                           const struct options *options)
{
    return options->upgrades && options->websocket && request->minor > 0 &&
           head->method == METHOD_GET && !head->has_body;
}

void http1_request_done(struct http1_request *request, struct request_head *head,
                        struct arena *arena)
{
    struct codings codings = {0};
    struct options options = {.keeps = request->minor > 0};
    for (uint32_t i = 0; i < head->headers.count; i++) {
        const struct header_field *field = &head->headers.fields[i];
        if (field->token == HEADER_TRANSFER_ENCODING)
            count_codings(&codings, field->value);
        else if (field->token == HEADER_CONNECTION)
            take_connection(field->value, &options);
        else if (field->token == HEADER_UPGRADE)
            options.websocket |= list_names(field->value, STRVIEW("websocket"));
        else if (field->token == HEADER_TE)
            request->wants_trailers |= list_names(field->value, STRVIEW("trailers"));
        else if (field->token == HEADER_EXPECT)
            request->expects_continue |= list_names(field->value, STRVIEW("100-continue"));
    }
    request->keeps = options.keeps && !options.closes;
    take_framing(request, head, &codings);
    take_host(request, head);
    request_head_done(head, arena, request->chunked || head->content_length > 0);
    head->asks_websocket = asks_websocket(request, head, &options);
}
