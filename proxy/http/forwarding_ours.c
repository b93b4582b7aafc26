/* The fields that the proxy says itself, perhaps with what a trusted sender said before. */
#include "proxy/http/forwarding_internal.h"
#include "proxy/http/uuid.h"

enum { REQUEST_ID_MAX_BYTES = 128 };

/* The name is a literal. */
static void add(struct forwarding *f, enum header_token token, struct strview name,
                struct strview value)
{
    const struct header_field field = {name, value, token, true};
    headers_add_field(f->headers, f->arena, &field);
}

/* What a trusted sender said already, else nothing. */
static struct strview trusted_value(struct forwarding *f, enum header_token token)
{
    if (!f->facts->trusted)
        return STRVIEW_NONE;
    return headers_joined(&f->request->headers, token, STRVIEW(", "), f->arena);
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
    if (f->facts->random == NULL)
        return STRVIEW_NONE;
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

bool forwarding_begins_trace(const struct forwarding *f)
{
    return (f->facts->fields & FORWARD_TRACEPARENT) && !has_good_traceparent(f->request);
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

void forwarding_add_ours(struct forwarding *f, struct forwarding_result *ret_result)
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
                        headers_joined(&f->request->headers, HEADER_VIA, STRVIEW(", "), f->arena),
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
