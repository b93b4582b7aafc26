#include "proxy/routing/identity.h"

/* An IPv6 client is its /64: the rest changes as its host pleases (RFC 8981). */
enum { NETWORK_BYTES = 8 };

static bool parse_named(struct strview text, struct strview scheme, enum identity_kind kind,
                        struct identity_source *ret_source)
{
    if (!strview_starts_with(text, scheme))
        return false;
    struct strview name = strview_from(text, scheme.length);
    if (!header_name_is_token(name))
        return false;
    *ret_source = (struct identity_source){.kind = kind, .name = name};
    return true;
}

bool identity_source_parse(struct strview text, struct identity_source *ret_source)
{
    if (strview_equal(text, STRVIEW("assign")))
        *ret_source = (struct identity_source){.kind = IDENTITY_ASSIGN};
    else if (strview_equal(text, STRVIEW("address")))
        *ret_source = (struct identity_source){.kind = IDENTITY_ADDRESS};
    else if (strview_equal(text, STRVIEW("none")))
        *ret_source = (struct identity_source){.kind = IDENTITY_NONE};
    else
        return parse_named(text, STRVIEW("cookie:"), IDENTITY_COOKIE, ret_source) ||
               parse_named(text, STRVIEW("header:"), IDENTITY_HEADER, ret_source);
    return true;
}

static struct strview hex_text(const uint8_t *bytes, size_t count, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, count * 2);
    for (size_t i = 0; i < count; i++) {
        text[i * 2] = digits[bytes[i] >> 4];
        text[i * 2 + 1] = digits[bytes[i] & 15];
    }
    return strview_make(text, count * 2);
}

static bool is_assigned_form(struct strview value)
{
    if (value.length != IDENTITY_ASSIGNED_BYTES)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool accepts_html(struct strview accept)
{
    struct strview element;
    while (strview_next_element(&accept, &element)) {
        struct strview type = strview_trim(strview_make(element.data, strview_find(element, ';')));
        if (strview_equal_ignore_case(type, STRVIEW("text/html")))
            return true;
    }
    return false;
}

static bool is_page_load(const struct request_head *request)
{
    if (request->method != METHOD_GET)
        return false;
    for (uint32_t i = 0; i < request->headers.count; i++) {
        const struct header_field *field = &request->headers.fields[i];
        if (field->token == HEADER_ACCEPT && accepts_html(field->value))
            return true;
    }
    return false;
}

static struct identity identity_assign(const struct request_head *request,
                                       const struct identity_facts *facts, struct arena *arena)
{
    struct identity identity = {.kind = IDENTITY_ASSIGN};
    struct strview cookie;
    if (headers_find_cookie(&request->headers, STRVIEW(IDENTITY_COOKIE_NAME), &cookie) &&
        is_assigned_form(cookie)) {
        identity.value = cookie;
    } else if (facts->random != NULL && is_page_load(request)) {
        identity.value = hex_text(facts->random, IDENTITY_RANDOM_BYTES, arena);
        identity.assigned = true;
    }
    return identity;
}

static struct strview address_value(const struct ip_address *client, struct arena *arena)
{
    static const struct ip_address none = {{0}};
    if (memcmp(client, &none, sizeof(none)) == 0)
        return STRVIEW_NONE;
    if (!ip_is_v4(client))
        return hex_text(client->bytes, NETWORK_BYTES, arena);
    char text[ADDRESS_TEXT_BYTES];
    return arena_copy(arena, strview_make(text, ip_format(client, text)));
}

/* The value is empty when the source does not apply. */
static struct identity identity_from(const struct identity_source *source,
                                     const struct request_head *request,
                                     const struct identity_facts *facts, struct arena *arena)
{
    struct identity identity = {.kind = source->kind};
    const struct header_field *field;
    switch (source->kind) {
    case IDENTITY_ASSIGN:
        return identity_assign(request, facts, arena);
    case IDENTITY_ADDRESS:
        identity.value = address_value(&facts->client, arena);
        break;
    case IDENTITY_COOKIE:
        (void)headers_find_cookie(&request->headers, source->name, &identity.value);
        break;
    case IDENTITY_HEADER:
        field = headers_find_name(&request->headers, source->name);
        if (field != NULL)
            identity.value = field->value;
        break;
    case IDENTITY_NONE:
        break;
    }
    return identity;
}

struct identity identity_of(const struct identity_source *sources, size_t count,
                            const struct request_head *request, const struct identity_facts *facts,
                            struct arena *arena)
{
    for (size_t i = 0; i < count && sources[i].kind != IDENTITY_NONE; i++) {
        struct identity identity = identity_from(&sources[i], request, facts, arena);
        if (identity.value.length > 0)
            return identity;
    }
    return (struct identity){.kind = IDENTITY_NONE};
}
