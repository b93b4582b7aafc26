/* Which fields pass, and in which form. What the proxy says itself: forwarding_ours.c. */
#include "proxy/http/forwarding_internal.h"

enum { TWIN_MAX_BYTES = 64 };

struct strview forward_field_name(uint32_t bit)
{
    /* In the order of the bits of enum forward_field. */
    static const char *const names[FORWARD_FIELD_COUNT] = {
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via",
        "x-request-id",    "traceparent",
    };
    return strview_of(names[bit]);
}

uint32_t forward_field_parse(struct strview name)
{
    for (uint32_t bit = 0; bit < FORWARD_FIELD_COUNT; bit++) {
        if (strview_equal_ignore_case(name, forward_field_name(bit)))
            return 1u << bit;
    }
    return 0;
}

/* --- what happens to a field of the request ------------------------------------------------ */

enum disposition {
    PASS,          /* goes on as it is */
    DROP,          /* hop-by-hop, or for us alone */
    DROP_STRANGER, /* only a trusted sender may say it */
    REWRITE,       /* we say it ourselves, perhaps with what was there */
    JOIN,          /* a cookie crumb */
};

static enum disposition disposition_of(enum header_token token)
{
    switch (token) {
    case HEADER_CONNECTION:
    case HEADER_KEEP_ALIVE:
    case HEADER_PROXY_CONNECTION:
    case HEADER_TE:
    case HEADER_TRANSFER_ENCODING:
    case HEADER_UPGRADE:
    case HEADER_HTTP2_SETTINGS:
    case HEADER_CONTENT_LENGTH:
    case HEADER_HOST:
    case HEADER_PROXY: /* becomes HTTP_PROXY in a CGI environment (CVE-2016-5385) */
        return DROP;
    case HEADER_X_FORWARDED_OTHER:
    case HEADER_X_REAL_IP:
    case HEADER_X_ORIGINAL_PATH:
    case HEADER_X_STRANGLER:
        return DROP_STRANGER;
    case HEADER_FORWARDED:
    case HEADER_VIA:
    case HEADER_TRACEPARENT:
    case HEADER_X_FORWARDED_FOR:
    case HEADER_X_FORWARDED_HOST:
    case HEADER_X_FORWARDED_PROTO:
    case HEADER_X_REQUEST_ID:
        return REWRITE;
    case HEADER_COOKIE:
        return JOIN;
    case HEADER_OTHER:
    case HEADER_ACCEPT:
    case HEADER_AUTHORITY:
    case HEADER_CACHE_CONTROL:
    case HEADER_CONTENT_TYPE:
    case HEADER_DATE:
    case HEADER_EXPECT:
    case HEADER_MAX_FORWARDS:
    case HEADER_METHOD:
    case HEADER_PATH:
    case HEADER_PROTOCOL:
    case HEADER_SCHEME:
    case HEADER_SET_COOKIE:
    case HEADER_STATUS:
    case HEADER_TRACESTATE:
    case HEADER_TRAILER:
    case HEADER_TOKEN_COUNT:
        break;
    }
    return PASS;
}

/*
 * CGI, WSGI and PHP fold '-' and '_' into one: x_forwarded_for becomes what x-forwarded-for is. A
 * name that would be another's twin is treated as that one is from strangers.
 */
static bool is_twin(struct strview name)
{
    char straight[TWIN_MAX_BYTES];
    if (name.length > sizeof(straight) || strview_find(name, '_') == name.length)
        return false;
    for (size_t i = 0; i < name.length; i++)
        straight[i] = name.data[i] == '_' ? '-' : name.data[i];
    enum header_token token = header_token_of(strview_make(straight, name.length));
    return disposition_of(token) != PASS;
}

/* Is the field named by Connection, and may naming it remove it (RFC 9110 section 7.6.1)? */
static bool is_listed(const struct strview connection, const struct header_field *field)
{
    if (connection.length == 0 || strview_equal(field->name, STRVIEW("authorization")))
        return false;
    struct strview list = connection;
    struct strview element;
    while (strview_next_element(&list, &element)) {
        if (strview_equal_ignore_case(element, field->name))
            return true;
    }
    return false;
}

static struct strview connection_value(const struct headers *headers, struct arena *arena)
{
    return headers_joined(headers, HEADER_CONNECTION, STRVIEW(", "), arena);
}

/* --- what is meant for us alone ------------------------------------------------------------ */

static bool is_override(const struct header_field *field)
{
    return field->token == HEADER_X_STRANGLER &&
           (strview_equal(field->name, STRVIEW(OVERRIDE_SIDE_FIELD)) ||
            strview_equal(field->name, STRVIEW(OVERRIDE_TOKEN_FIELD)));
}

/* By the last byte of the prefix, an underscore, which is rare in cookies. */
static bool mentions_our_cookie(struct strview cookies)
{
    static const char prefix[] = PROXY_COOKIE_PREFIX;
    const size_t length = sizeof(prefix) - 1;
    while (cookies.length >= length) {
        const char *start = cookies.data + length - 1;
        const char *found = memchr(start, prefix[length - 1], cookies.length - length + 1);
        if (found == NULL)
            return false;
        if (memcmp(found - (length - 1), prefix, length) == 0)
            return true;
        cookies = strview_from(cookies, (size_t)(found - start) + 1);
    }
    return false;
}

bool forwarding_may_have_proxy_cookie(const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        if (headers->fields[i].token == HEADER_COOKIE &&
            mentions_our_cookie(headers->fields[i].value))
            return true;
    }
    return false;
}

static bool is_our_cookie(struct strview pair, struct strview dropped)
{
    return strview_starts_with(pair, STRVIEW(PROXY_COOKIE_PREFIX)) ||
           (dropped.length > 0 && strview_equal(cookie_name(pair), dropped));
}

/* The cookies that are not ours; `cookies` itself when none is. */
static struct strview foreign_cookies(struct strview cookies, struct strview dropped,
                                      struct arena *arena)
{
    struct strview rest = cookies;
    struct strview pair;
    bool ours = false;
    if (dropped.length == 0 && !mentions_our_cookie(cookies))
        return cookies;
    while (!ours && cookie_next(&rest, &pair))
        ours = is_our_cookie(pair, dropped);
    if (!ours)
        return cookies;
    char *kept = arena_alloc(arena, 2 * cookies.length); /* separators may grow to two bytes */
    size_t length = 0;
    for (rest = cookies; cookie_next(&rest, &pair);) {
        if (is_our_cookie(pair, dropped))
            continue;
        if (length > 0) {
            memcpy(kept + length, "; ", 2);
            length += 2;
        }
        memcpy(kept + length, pair.data, pair.length);
        length += pair.length;
    }
    return strview_make(kept, length);
}

/* --- requests ------------------------------------------------------------------------------ */

/* RFC 9113 section 8.2.3: one field again outside HTTP/2. */
static void add_cookies(struct forwarding *f)
{
    struct strview joined =
        headers_joined(&f->request->headers, HEADER_COOKIE, STRVIEW("; "), f->arena);
    struct strview cookies = foreign_cookies(joined, f->facts->dropped_cookie, f->arena);
    if (cookies.length > 0)
        headers_add(f->headers, f->arena, HEADER_COOKIE, STRVIEW("cookie"), cookies);
}

/* One hop less for a request that counts them (RFC 9110 section 7.6.2). */
static struct strview passed_value(const struct forwarding *f, const struct header_field *field)
{
    uint64_t hops = 0;
    if (field->token != HEADER_MAX_FORWARDS || f->request->method != METHOD_OPTIONS ||
        !strview_to_u64(field->value, UINT32_MAX, &hops) || hops == 0)
        return field->value;
    return arena_printf(f->arena, "%llu", (unsigned long long)hops - 1);
}

void forwarding_request(const struct request_head *request, const struct forwarding_facts *facts,
                        struct arena *arena, struct headers *ret_headers,
                        struct forwarding_result *ret_result)
{
    headers_init(ret_headers);
    struct forwarding f = {request, facts, arena, ret_headers};
    struct strview connection = connection_value(&request->headers, arena);
    bool begins_trace = forwarding_begins_trace(&f);
    bool cookies = false;
    for (uint32_t i = 0; i < request->headers.count; i++) {
        const struct header_field *field = &request->headers.fields[i];
        enum disposition disposition = disposition_of(field->token);
        if (field->token == HEADER_OTHER && is_twin(field->name))
            disposition = DROP_STRANGER;
        if (disposition == DROP_STRANGER && is_override(field))
            disposition = DROP;
        if (field->token == HEADER_VIA && (facts->fields & FORWARD_VIA) == 0)
            disposition = PASS; /* not ours to remove (RFC 9110 section 7.6.3) */
        bool says_original_path =
            field->token == HEADER_X_ORIGINAL_PATH && facts->original_path.length > 0;
        cookies |= disposition == JOIN;
        /* Without a good traceparent a new trace begins, and the old one's state with it ends (W3C
         * Trace Context section 3.3.1). */
        if (field->token == HEADER_TRACESTATE && begins_trace)
            continue;
        if (disposition == PASS || (disposition == DROP_STRANGER && facts->trusted)) {
            if (!is_listed(connection, field) && !says_original_path)
                headers_add(ret_headers, arena, field->token, field->name, passed_value(&f, field));
        }
    }
    if (cookies)
        add_cookies(&f);
    forwarding_add_ours(&f, ret_result);
}

void forwarding_response(const struct response_head *response, struct arena *arena,
                         struct headers *ret_headers)
{
    headers_init(ret_headers);
    struct strview connection = connection_value(&response->headers, arena);
    for (uint32_t i = 0; i < response->headers.count; i++) {
        const struct header_field *field = &response->headers.fields[i];
        bool hop_by_hop = field->token == HEADER_CONNECTION || field->token == HEADER_KEEP_ALIVE ||
                          field->token == HEADER_PROXY_CONNECTION || field->token == HEADER_TE ||
                          field->token == HEADER_TRANSFER_ENCODING ||
                          field->token == HEADER_UPGRADE;
        bool framing = field->token == HEADER_CONTENT_LENGTH;
        if (framing && (response->status < 200 || response->status == 204))
            continue; /* RFC 9110 section 8.6 */
        if (!hop_by_hop && (framing || !is_listed(connection, field)))
            headers_add_field(ret_headers, arena, field);
    }
}

/* Fields that would mean something else, or too much, behind the content. */
static bool may_be_trailer(const struct header_field *field)
{
    if (disposition_of(field->token) != PASS || is_twin(field->name))
        return false;
    static const char *const refused[] = {
        "authorization", "cache-control", "content-encoding", "content-range",
        "content-type",  "expect",        "max-forwards",     "pragma",
        "range",         "set-cookie",    "trailer",          "www-authenticate",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strview_equal(field->name, strview_of(refused[i])))
            return false;
    }
    return field->name.length > 0 && field->name.data[0] != ':';
}

void forwarding_trailers(const struct headers *trailers, struct arena *arena,
                         struct headers *ret_trailers)
{
    headers_init(ret_trailers);
    for (uint32_t i = 0; i < trailers->count; i++) {
        const struct header_field *field = &trailers->fields[i];
        if (may_be_trailer(field))
            headers_add(ret_trailers, arena, field->token, field->name, field->value);
    }
}

struct strview forwarding_client_text(const struct request_head *request,
                                      bool (*is_trusted)(const void *context, struct strview ip),
                                      const void *context)
{
    /* From the last field and the last element backwards, until one is not trusted. */
    for (uint32_t i = request->headers.count; i-- > 0;) {
        const struct header_field *field = &request->headers.fields[i];
        if (field->token != HEADER_X_FORWARDED_FOR)
            continue;
        struct strview rest = field->value;
        while (rest.length > 0) {
            size_t start = rest.length;
            while (start > 0 && rest.data[start - 1] != ',')
                start--;
            struct strview element = strview_trim(strview_from(rest, start));
            if (element.length > 0 && !is_trusted(context, element))
                return element;
            rest.length = start > 0 ? start - 1 : 0;
        }
    }
    return STRVIEW_NONE;
}
