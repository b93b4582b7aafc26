/*
 * Header fields of one message: an array of name and value views plus a token for the names that
 * the proxy looks at, so that it compares integers, not strings. Names are lower case. The array
 * lives in the message's arena; so do the bytes, unless the caller knows that they live longer.
 * One thread.
 */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include "proxy/core/arena.h"
#include "proxy/core/strview.h"

enum header_token {
    HEADER_OTHER,
    HEADER_ACCEPT,
    HEADER_AUTHORITY, /* :authority */
    HEADER_CACHE_CONTROL,
    HEADER_CONNECTION,
    HEADER_CONTENT_LENGTH,
    HEADER_CONTENT_TYPE,
    HEADER_COOKIE,
    HEADER_DATE,
    HEADER_EXPECT,
    HEADER_FORWARDED,
    HEADER_HOST,
    HEADER_HTTP2_SETTINGS,
    HEADER_KEEP_ALIVE,
    HEADER_MAX_FORWARDS,
    HEADER_METHOD,   /* :method */
    HEADER_PATH,     /* :path */
    HEADER_PROTOCOL, /* :protocol, RFC 8441 */
    HEADER_PROXY,
    HEADER_PROXY_CONNECTION,
    HEADER_SCHEME, /* :scheme */
    HEADER_SET_COOKIE,
    HEADER_STATUS, /* :status */
    HEADER_TE,
    HEADER_TRACEPARENT,
    HEADER_TRACESTATE,
    HEADER_TRAILER,
    HEADER_TRANSFER_ENCODING,
    HEADER_UPGRADE,
    HEADER_VIA,
    HEADER_X_FORWARDED_FOR,
    HEADER_X_FORWARDED_HOST,
    HEADER_X_FORWARDED_OTHER, /* any other x-forwarded-… */
    HEADER_X_FORWARDED_PROTO,
    HEADER_X_ORIGINAL_PATH,
    HEADER_X_REAL_IP,
    HEADER_X_REQUEST_ID,
    HEADER_X_STRANGLER, /* any x-strangler-… */
    HEADER_TOKEN_COUNT
};

/* The token of a lower-case name. */
enum header_token header_token_of(struct strview name);

struct header_field {
    struct strview name;
    struct strview value;
    enum header_token token;
    bool name_is_static; /* its bytes outlive every message: a copy needs none of its own */
};

struct headers {
    struct header_field *fields;
    uint32_t count;
    uint32_t capacity;
    uint32_t bytes; /* sum of name + value + 32 a field, as RFC 9113 section 6.5.2 counts */
};

/* An empty list; nothing to free. */
void headers_init(struct headers *headers);

/* Makes room for one more field. */
void headers_grow(struct headers *headers, struct arena *arena);

enum { HEADER_FIELD_OVERHEAD_BYTES = 32 };

/* Appends a field whose bytes the caller keeps alive. The array grows in `arena`. */
static inline void headers_add_field(struct headers *headers, struct arena *arena,
                                     const struct header_field *field)
{
    if (headers->count == headers->capacity)
        headers_grow(headers, arena);
    headers->fields[headers->count++] = *field;
    headers->bytes +=
        (uint32_t)(field->name.length + field->value.length + HEADER_FIELD_OVERHEAD_BYTES);
}

static inline void headers_add(struct headers *headers, struct arena *arena,
                               enum header_token token, struct strview name, struct strview value)
{
    const struct header_field field = {.name = name, .value = value, .token = token};
    headers_add_field(headers, arena, &field);
}

/* All fields of `from` with their bytes (but static ones), and room for `room` more, in two pieces
 * of the arena. */
void headers_copy(const struct headers *from, uint32_t room, struct arena *arena,
                  struct headers *ret_headers);

/* The first field with the token, or NULL. */
const struct header_field *headers_find(const struct headers *headers, enum header_token token);

/* The first field with a lower-case name, or NULL. */
const struct header_field *headers_find_name(const struct headers *headers, struct strview name);

/*
 * All values of a field as one list (RFC 9110 section 5.2), in one allocation, so that many small
 * fields cost no more than their bytes. The value itself when there is only one.
 */
struct strview headers_joined(const struct headers *headers, enum header_token token,
                              struct strview separator, struct arena *arena);

/*
 * Takes the next cookie from *list, the value of a Cookie field: "name=value" or only a name.
 * False at the end.
 */
bool cookie_next(struct strview *list, struct strview *ret_pair);

/* What stands in front of the '='; all of it when there is none. */
static inline struct strview cookie_name(struct strview pair)
{
    return strview_make(pair.data, strview_find(pair, '='));
}

/*
 * The value of the first cookie called `name` in all Cookie fields (RFC 6265 section 5.4); quotes
 * around a value are kept. False when there is none.
 */
bool headers_find_cookie(const struct headers *headers, struct strview name,
                         struct strview *ret_value);

/* tchar of RFC 9110 section 5.6.2: one bit a character, 32 … 127. */
static inline bool header_byte_is_token(char byte)
{
    static const uint32_t token_bits[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    unsigned char c = (unsigned char)byte;
    return c < 128 && ((token_bits[c >> 5] >> (c & 31)) & 1) != 0;
}

/* Does the token stand for the name of one field, so that this needs no look? Pseudo-fields are no
 * fields. */
bool header_token_says_name(enum header_token token);

/* The next two together, for a field whose token is its name's. */
bool header_field_is_valid(const struct header_field *field);

/* RFC 9110 section 5.6.2: is every byte a token character, and is there at least one? */
bool header_name_is_token(struct strview name);

/* RFC 9110 section 5.5: no control characters but tab, no leading or trailing white space. */
bool header_value_is_valid(struct strview value);

#endif
