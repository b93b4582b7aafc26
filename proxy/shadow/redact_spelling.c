#include "proxy/shadow/redact_spelling.h"

static int hex_value(char c)
{
    char lower = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct strview spelling_percent_decoded(struct arena *arena, struct strview text)
{
    char *out = arena_alloc(arena, text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        bool coded = text.data[i] == '%' && text.length - i > 2 &&
                     hex_value(text.data[i + 1]) >= 0 && hex_value(text.data[i + 2]) >= 0;
        if (!coded) {
            out[used++] = text.data[i];
            continue;
        }
        out[used++] = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
        i += 2;
    }
    return strview_make(out, used);
}

static bool is_unreserved(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

struct strview spelling_percent_encoded(struct arena *arena, struct strview text,
                                        const char *digits)
{
    char *out = arena_alloc(arena, 3 * text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved(text.data[i])) {
            out[used++] = text.data[i];
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[c / 16];
        out[used++] = digits[c % 16];
    }
    return strview_make(out, used);
}

static struct strview html_escape_of(char c)
{
    switch (c) {
    case '&':
        return STRVIEW("&amp;");
    case '<':
        return STRVIEW("&lt;");
    case '>':
        return STRVIEW("&gt;");
    case '"':
        return STRVIEW("&quot;");
    case '\'':
        return STRVIEW("&#39;");
    default:
        return STRVIEW("");
    }
}

struct strview spelling_html_escaped(struct arena *arena, struct strview text)
{
    char *out = arena_alloc(arena, 6 * text.length);
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        struct strview escape = html_escape_of(text.data[i]);
        if (escape.length == 0)
            escape = strview_make(text.data + i, 1);
        memcpy(out + used, escape.data, escape.length);
        used += escape.length;
    }
    return strview_make(out, used);
}

struct strview spelling_form_decoded(struct arena *arena, struct strview text)
{
    struct strview copy = arena_copy(arena, text);
    char *bytes = (char *)copy.data;
    for (size_t i = 0; i < copy.length; i++) {
        if (bytes[i] == '+')
            bytes[i] = ' ';
    }
    return spelling_percent_decoded(arena, copy);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct strview spelling_base64_decoded(struct arena *arena, struct strview text)
{
    unsigned char *out = arena_alloc(arena, text.length + 1);
    size_t used = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < text.length && base64_value(text.data[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text.data[i]);
        bit_count += 6;
        if (bit_count < 8)
            continue;
        bit_count -= 8;
        out[used++] = (unsigned char)(bits >> bit_count);
        bits &= (1U << bit_count) - 1;
    }
    return strview_make((const char *)out, used);
}
