#include "proxy/http/headers.h"

#include <assert.h>

enum { FIRST_CAPACITY = 16 };

/* The lengths are equal already, so the compiler turns this into one or two integer compares. */
#define NAME_IS(literal) (memcmp(name.data, literal, sizeof(literal) - 1) == 0)

static enum header_token token_of_short(struct strview name)
{
    switch (name.length) {
    case 2:
        return NAME_IS("te") ? HEADER_TE : HEADER_OTHER;
    case 3:
        return NAME_IS("via") ? HEADER_VIA : HEADER_OTHER;
    case 4:
        return NAME_IS("host") ? HEADER_HOST : NAME_IS("date") ? HEADER_DATE : HEADER_OTHER;
    case 5:
        return NAME_IS(":path") ? HEADER_PATH : NAME_IS("proxy") ? HEADER_PROXY : HEADER_OTHER;
    case 6:
        return NAME_IS("accept")   ? HEADER_ACCEPT
               : NAME_IS("cookie") ? HEADER_COOKIE
               : NAME_IS("expect") ? HEADER_EXPECT
                                   : HEADER_OTHER;
    case 7:
        return NAME_IS(":method")   ? HEADER_METHOD
               : NAME_IS(":scheme") ? HEADER_SCHEME
               : NAME_IS(":status") ? HEADER_STATUS
               : NAME_IS("trailer") ? HEADER_TRAILER
               : NAME_IS("upgrade") ? HEADER_UPGRADE
                                    : HEADER_OTHER;
    default:
        return HEADER_OTHER;
    }
}

static enum header_token token_of_medium(struct strview name)
{
    switch (name.length) {
    case 9:
        return NAME_IS("forwarded")   ? HEADER_FORWARDED
               : NAME_IS("x-real-ip") ? HEADER_X_REAL_IP
               : NAME_IS(":protocol") ? HEADER_PROTOCOL
                                      : HEADER_OTHER;
    case 10:
        return NAME_IS(":authority")   ? HEADER_AUTHORITY
               : NAME_IS("connection") ? HEADER_CONNECTION
               : NAME_IS("keep-alive") ? HEADER_KEEP_ALIVE
               : NAME_IS("set-cookie") ? HEADER_SET_COOKIE
               : NAME_IS("tracestate") ? HEADER_TRACESTATE
                                       : HEADER_OTHER;
    case 11:
        return NAME_IS("traceparent") ? HEADER_TRACEPARENT : HEADER_OTHER;
    case 12:
        return NAME_IS("content-type")   ? HEADER_CONTENT_TYPE
               : NAME_IS("max-forwards") ? HEADER_MAX_FORWARDS
               : NAME_IS("x-request-id") ? HEADER_X_REQUEST_ID
                                         : HEADER_OTHER;
    case 13:
        return NAME_IS("cache-control") ? HEADER_CACHE_CONTROL : HEADER_OTHER;
    default:
        return HEADER_OTHER;
    }
}

static enum header_token token_of_long(struct strview name)
{
    switch (name.length) {
    case 14:
        return NAME_IS("content-length")   ? HEADER_CONTENT_LENGTH
               : NAME_IS("http2-settings") ? HEADER_HTTP2_SETTINGS
                                           : HEADER_OTHER;
    case 15:
        return NAME_IS("x-forwarded-for")   ? HEADER_X_FORWARDED_FOR
               : NAME_IS("x-original-path") ? HEADER_X_ORIGINAL_PATH
                                            : HEADER_OTHER;
    case 16:
        return NAME_IS("x-forwarded-host")   ? HEADER_X_FORWARDED_HOST
               : NAME_IS("proxy-connection") ? HEADER_PROXY_CONNECTION
                                             : HEADER_OTHER;
    case 17:
        return NAME_IS("transfer-encoding")   ? HEADER_TRANSFER_ENCODING
               : NAME_IS("x-forwarded-proto") ? HEADER_X_FORWARDED_PROTO
                                              : HEADER_OTHER;
    default:
        return HEADER_OTHER;
    }
}

enum header_token header_token_of(struct strview name)
{
    if (name.length < 9)
        return token_of_short(name);
    if (name.length >= sizeof("x-strangler-") - 1 && NAME_IS("x-strangler-"))
        return HEADER_X_STRANGLER;
    enum header_token token = name.length < 14 ? token_of_medium(name) : token_of_long(name);
    bool is_family = token == HEADER_OTHER && name.length >= sizeof("x-forwarded-") - 1 &&
                     NAME_IS("x-forwarded-");
    return is_family ? HEADER_X_FORWARDED_OTHER : token;
}

void headers_init(struct headers *headers)
{
    *headers = (struct headers){.fields = NULL};
}

void headers_grow(struct headers *headers, struct arena *arena)
{
    uint32_t capacity = headers->capacity > 0 ? headers->capacity * 2 : FIRST_CAPACITY;
    struct header_field *fields = arena_alloc(arena, capacity * sizeof(*fields));
    if (headers->count > 0)
        memcpy(fields, headers->fields, headers->count * sizeof(*fields));
    headers->fields = fields;
    headers->capacity = capacity;
}

static size_t bytes_of(const struct headers *headers)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        bytes += field->value.length + (field->name_is_static ? 0 : field->name.length);
    }
    return bytes;
}

static struct strview put(char **at, struct strview text)
{
    struct strview copy = strview_make(*at, text.length);
    if (text.length > 0)
        memcpy(*at, text.data, text.length);
    *at += text.length;
    return copy;
}

void headers_copy(const struct headers *from, uint32_t room, struct arena *arena,
                  struct headers *ret_headers)
{
    uint32_t capacity = from->count + room;
    char *at = arena_alloc(arena, bytes_of(from));
    *ret_headers = (struct headers){
        .fields = arena_alloc(arena, capacity * sizeof(struct header_field)),
        .count = from->count,
        .capacity = capacity,
        .bytes = from->bytes,
    };
    for (uint32_t i = 0; i < from->count; i++) {
        const struct header_field *field = &from->fields[i];
        ret_headers->fields[i] = (struct header_field){
            .name = field->name_is_static ? field->name : put(&at, field->name),
            .value = put(&at, field->value),
            .token = field->token,
            .name_is_static = field->name_is_static,
        };
    }
}

const struct header_field *headers_find(const struct headers *headers, enum header_token token)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        if (headers->fields[i].token == token)
            return &headers->fields[i];
    }
    return NULL;
}

const struct header_field *headers_find_name(const struct headers *headers, struct strview name)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        if (strview_equal(headers->fields[i].name, name))
            return &headers->fields[i];
    }
    return NULL;
}

struct strview headers_joined(const struct headers *headers, enum header_token token,
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

static bool byte_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool cookie_next(struct strview *list, struct strview *ret_pair)
{
    while (list->length > 0) {
        size_t end = strview_find(*list, ';');
        struct strview pair = strview_make(list->data, end);
        *list = strview_from(*list, end < list->length ? end + 1 : end);
        if (pair.length > 0 && pair.data[0] == ' ') /* nearly always, and then no more blanks */
            pair = strview_from(pair, 1);
        if (pair.length > 0 &&
            (byte_is_blank(pair.data[0]) || byte_is_blank(pair.data[pair.length - 1])))
            pair = strview_trim(pair);
        if (pair.length > 0) {
            *ret_pair = pair;
            return true;
        }
    }
    return false;
}

static bool cookie_in_field(struct strview field, struct strview name, struct strview *ret_value)
{
    struct strview pair;
    while (cookie_next(&field, &pair)) {
        if (pair.length > name.length && pair.data[name.length] == '=' &&
            strview_starts_with(pair, name)) {
            *ret_value = strview_from(pair, name.length + 1);
            return true;
        }
    }
    return false;
}

bool headers_find_cookie(const struct headers *headers, struct strview name,
                         struct strview *ret_value)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct header_field *field = &headers->fields[i];
        if (field->token == HEADER_COOKIE && cookie_in_field(field->value, name, ret_value))
            return true;
    }
    return false;
}

bool header_name_is_token(struct strview name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!header_byte_is_token(name.data[i]))
            return false;
    }
    return name.length > 0;
}

bool header_token_says_name(enum header_token token)
{
    static_assert(HEADER_TOKEN_COUNT <= 64, "one bit a token");
#define TOKEN_BIT(token) (UINT64_C(1) << (token))
    const uint64_t others = TOKEN_BIT(HEADER_OTHER) | TOKEN_BIT(HEADER_X_FORWARDED_OTHER) |
                            TOKEN_BIT(HEADER_X_STRANGLER) | TOKEN_BIT(HEADER_AUTHORITY) |
                            TOKEN_BIT(HEADER_METHOD) | TOKEN_BIT(HEADER_PATH) |
                            TOKEN_BIT(HEADER_PROTOCOL) | TOKEN_BIT(HEADER_SCHEME) |
                            TOKEN_BIT(HEADER_STATUS);
    return (others & TOKEN_BIT(token)) == 0;
}

bool header_field_is_valid(const struct header_field *field)
{
    return (header_token_says_name(field->token) || header_name_is_token(field->name)) &&
           header_value_is_valid(field->value);
}

enum { WORD_BYTES = sizeof(uint64_t) };

/* `byte` in each byte of a word. */
#define WORD_OF(byte) (UINT64_MAX / 255 * (byte))

/* Is there a control character among the eight, a tab included? Exact: the first byte that borrows
 * from the next one is itself such a byte. */
static bool word_has_control(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    uint64_t not_del = word ^ WORD_OF(0x7f);
    uint64_t below_space = (word - WORD_OF(0x20)) & ~word;
    uint64_t del = (not_del - WORD_OF(1)) & ~not_del;
    return ((below_space | del) & WORD_OF(0x80)) != 0;
}

static bool bytes_are_valid(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool header_value_is_valid(struct strview value)
{
    if (value.length == 0)
        return true;
    if (byte_is_blank(value.data[0]) || byte_is_blank(value.data[value.length - 1]))
        return false;
    if (value.length < WORD_BYTES)
        return bytes_are_valid(value.data, value.length);
    const char *last = value.data + value.length - WORD_BYTES; /* some of it twice */
    for (const char *at = value.data;; at = at + WORD_BYTES < last ? at + WORD_BYTES : last) {
        if (word_has_control(at) && !bytes_are_valid(at, WORD_BYTES))
            return false;
        if (at == last)
            return true;
    }
}
