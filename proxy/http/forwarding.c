#include "proxy/http/forwarding.h"

#include "proxy/http/uuid.h"

enum { REQUEST_ID_MAX_BYTES = 128, TWIN_MAX_BYTES = 64 };

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

/*
 * All values of a field as one list (RFC 9110 section 5.2), in one allocation, so that many small
 * fields cost no more than their bytes. The value itself when there is only one.
 */
static struct strview joined_value(const struct headers *headers, enum header_token token,
                                   struct strview separator, struct arena *arena)
{
    struct strview first = STRVIEW_NONE;
    size_t count = 0;
    size_t length = 0;
    for (uint32_t i = 0; i < headers->count; i++) {
        if (headers->fields[i].token != token)
            continue;
        if (count++ == 0)
            first = headers->fields[i].value;
        length += headers->fields[i].value.length + separator.length;
    }
    if (count < 2)
        return first;
    char *joined = arena_alloc(arena, length);
    char *at = joined;
    for (uint32_t i = 0; i < headers->count; i++) {
        struct strview value = headers->fields[i].value;
        if (headers->fields[i].token != token)
            continue;
        if (at != joined) {
            memcpy(at, separator.data, separator.length);
            at += separator.length;
        }
        if (value.length > 0)
            memcpy(at, value.data, value.length);
        at += value.length;
    }
    return strview_make(joined, (size_t)(at - joined));
}

static struct strview connection_value(const struct headers *headers, struct arena *arena)
{
    return joined_value(headers, HEADER_CONNECTION, STRVIEW(", "), arena);
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

/* --- the fields that we say ourselves ------------------------------------------------------ */

struct forwarding {
    const struct request_head *request;
    const struct forwarding_facts *facts;
    struct arena *arena;
    struct headers *headers;
};

static void add(struct forwarding *f, enum header_token token, struct strview name,
                struct strview value)
{
    headers_add(f->headers, f->arena, token, name, value);
}

/* What a trusted sender said already, else nothing. */
static struct strview trusted_value(struct forwarding *f, enum header_token token)
{
    if (!f->facts->trusted)
        return STRVIEW_NONE;
    return joined_value(&f->request->headers, token, STRVIEW(", "), f->arena);
}

static void add_list_member(struct forwarding *f, enum header_token token, struct strview name,
                            struct strview before, struct strview ours)
{
    if (before.length > 0)
        ours = arena_printf(f->arena, "%.*s, %.*s", STRVIEW_ARGS(before), STRVIEW_ARGS(ours));
    add(f, token, name, ours);
}

/* Proto and host describe what the client asked for: a trusted sender knows better than we. */
static void add_or_keep(struct forwarding *f, enum header_token token, struct strview name,
                        struct strview ours)
{
    struct strview said = trusted_value(f, token);
    add(f, token, name, said.length > 0 ? said : ours);
}

static void add_forwarded(struct forwarding *f)
{
    struct strview address = f->facts->connection_address;
    bool v6 = strview_find(address, ':') < address.length; /* RFC 7239 section 6 */
    const char *format =
        v6 ? "for=\"[%.*s]\";proto=%.*s;host=\"%.*s\"" : "for=%.*s;proto=%.*s;host=\"%.*s\"";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    struct strview ours =
        arena_printf(f->arena, format, STRVIEW_ARGS(address), STRVIEW_ARGS(f->request->scheme),
                     STRVIEW_ARGS(f->request->authority));
#pragma GCC diagnostic pop
    add_list_member(f, HEADER_FORWARDED, STRVIEW("forwarded"), trusted_value(f, HEADER_FORWARDED),
                    ours);
}

static bool is_good_request_id(struct strview id)
{
    if (id.length == 0 || id.length > REQUEST_ID_MAX_BYTES)
        return false;
    for (size_t i = 0; i < id.length; i++) {
        if (id.data[i] <= 0x20 || id.data[i] >= 0x7f || id.data[i] == '"' || id.data[i] == '\\')
            return false;
    }
    return true;
}

static struct strview request_id_of(struct forwarding *f)
{
    const struct header_field *field = headers_find(&f->request->headers, HEADER_X_REQUEST_ID);
    if (f->facts->trusted && field != NULL && is_good_request_id(field->value))
        return field->value;
    char *text = arena_alloc(f->arena, UUID_TEXT_BYTES);
    uuid7_format(f->facts->now_ms, f->facts->random, text);
    return strview_make(text, UUID_TEXT_BYTES);
}

static bool is_lower_hex(struct strview text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_all_zero(struct strview text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '0')
            return false;
    }
    return true;
}

/* W3C Trace Context section 3.2.2: 00-<32 hex>-<16 hex>-<2 hex>, ids not all zero. */
static bool is_good_traceparent(struct strview text)
{
    return text.length == TRACEPARENT_BYTES && memcmp(text.data, "00-", 3) == 0 &&
           text.data[35] == '-' && text.data[52] == '-' &&
           is_lower_hex(strview_make(text.data + 3, 32)) &&
           is_lower_hex(strview_make(text.data + 36, 16)) &&
           is_lower_hex(strview_make(text.data + 53, 2)) &&
           !is_all_zero(strview_make(text.data + 3, 32)) &&
           !is_all_zero(strview_make(text.data + 36, 16));
}

static bool has_good_traceparent(const struct request_head *request)
{
    const struct header_field *field = headers_find(&request->headers, HEADER_TRACEPARENT);
    return field != NULL && is_good_traceparent(field->value);
}

static struct strview traceparent_of(struct forwarding *f)
{
    if (has_good_traceparent(f->request))
        return headers_find(&f->request->headers, HEADER_TRACEPARENT)->value;
    const uint8_t *random = f->facts->random + UUID_RANDOM_BYTES;
    char *text = arena_alloc(f->arena, TRACEPARENT_BYTES);
    memcpy(text, "00-", 3);
    hex_format(random, 16, text + 3);
    text[35] = '-';
    hex_format(random + 16, 8, text + 36);
    memcpy(text + 52, "-00", 3);
    return strview_make(text, TRACEPARENT_BYTES);
}

static void add_ours(struct forwarding *f, struct forwarding_result *ret_result)
{
    const struct forwarding_facts *facts = f->facts;
    uint32_t fields = facts->fields;
    if (fields & FORWARD_X_FORWARDED_FOR)
        add_list_member(f, HEADER_X_FORWARDED_FOR, STRVIEW("x-forwarded-for"),
                        trusted_value(f, HEADER_X_FORWARDED_FOR), facts->connection_address);
    if (fields & FORWARD_X_FORWARDED_PROTO)
        add_or_keep(f, HEADER_X_FORWARDED_PROTO, STRVIEW("x-forwarded-proto"), f->request->scheme);
    if (fields & FORWARD_X_FORWARDED_HOST)
        add_or_keep(f, HEADER_X_FORWARDED_HOST, STRVIEW("x-forwarded-host"), f->request->authority);
    if (fields & FORWARD_FORWARDED)
        add_forwarded(f);
    if (fields & FORWARD_VIA) {
        struct strview ours =
            strview_equal(facts->version, STRVIEW("2.0"))   ? STRVIEW("2.0 strangler")
            : strview_equal(facts->version, STRVIEW("1.0")) ? STRVIEW("1.0 strangler")
                                                            : STRVIEW("1.1 strangler");
        add_list_member(f, HEADER_VIA, STRVIEW("via"),
                        joined_value(&f->request->headers, HEADER_VIA, STRVIEW(", "), f->arena),
                        ours);
    }
    ret_result->request_id = request_id_of(f);
    ret_result->traceparent = STRVIEW_NONE;
    if (fields & FORWARD_X_REQUEST_ID)
        add(f, HEADER_X_REQUEST_ID, STRVIEW("x-request-id"), ret_result->request_id);
    if (fields & FORWARD_TRACEPARENT) {
        ret_result->traceparent = traceparent_of(f);
        add(f, HEADER_TRACEPARENT, STRVIEW("traceparent"), ret_result->traceparent);
    }
    if (facts->original_path.length > 0)
        add(f, HEADER_X_ORIGINAL_PATH, STRVIEW("x-original-path"), facts->original_path);
}

/* RFC 9113 section 8.2.3: one field again outside HTTP/2. */
static void add_cookies(struct forwarding *f)
{
    struct strview joined =
        joined_value(&f->request->headers, HEADER_COOKIE, STRVIEW("; "), f->arena);
    struct strview cookies = foreign_cookies(joined, f->facts->dropped_cookie, f->arena);
    if (cookies.length > 0)
        add(f, HEADER_COOKIE, STRVIEW("cookie"), cookies);
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
    bool begins_trace = (facts->fields & FORWARD_TRACEPARENT) && !has_good_traceparent(request);
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
    add_ours(&f, ret_result);
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
            headers_add(ret_headers, arena, field->token, field->name, field->value);
    }
}

/* Fields that would mean something else, or too much, behind the content. */
static bool may_be_trailer(const struct header_field *field)
{
    switch (disposition_of(field->token)) {
    case DROP:
    case DROP_STRANGER:
    case REWRITE:
    case JOIN:
        return false;
    case PASS:
        break;
    }
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
