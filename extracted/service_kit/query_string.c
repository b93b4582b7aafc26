#include "extracted/service_kit/query_string.h"

#include <string.h>

#include "extracted/service_kit/decimal.h"
#include "extracted/service_kit/duration.h"

enum { DURATION_LENGTH = 16 };

static struct http_view cut(struct http_view *rest, char at)
{
    struct http_view piece = *rest;
    const char *end = rest->length > 0 ? memchr(rest->bytes, at, rest->length) : NULL;
    if (end != NULL)
        piece.length = (size_t)(end - rest->bytes);
    size_t used = piece.length + (end != NULL ? 1 : 0);
    rest->bytes += used;
    rest->length -= used;
    return piece;
}

bool query_find(struct http_view query, const char *name, struct http_view *ret_value)
{
    while (query.length > 0) {
        struct http_view value = cut(&query, '&');
        if (http_view_equals(cut(&value, '='), name)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool query_number(struct http_view query, const char *name, int64_t otherwise, int64_t *ret_value)
{
    struct http_view digits;
    if (query_find(query, name, &digits))
        return decimal_read(digits, ret_value);
    *ret_value = otherwise;
    return true;
}

bool query_duration_ms(struct http_view query, const char *name, int64_t *ret_ms)
{
    struct http_view value;
    char text[DURATION_LENGTH];
    if (!query_find(query, name, &value)) {
        *ret_ms = 0;
        return true;
    }
    if (value.length >= sizeof(text) || memchr(value.bytes, 0, value.length) != NULL)
        return false;
    memcpy(text, value.bytes, value.length);
    text[value.length] = 0;
    return (strcmp(text, "0") == 0 && (*ret_ms = 0, true)) || duration_parse(text, ret_ms);
}
