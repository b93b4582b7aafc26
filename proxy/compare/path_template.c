#include "proxy/compare/path_template.h"

enum { KEY_LENGTH_MIN = 16, UUID_LENGTH = 36 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    char lower = ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

static bool is_uuid(struct strview segment)
{
    if (segment.length != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < segment.length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? segment.data[i] != '-' : !is_hex(segment.data[i]))
            return false;
    }
    return true;
}

static struct strview name_of_segment(struct strview segment)
{
    size_t digits = 0;
    for (size_t i = 0; i < segment.length; i++)
        digits += is_digit(segment.data[i]) ? 1 : 0;
    if (segment.length > 0 && digits == segment.length)
        return STRVIEW("{id}");
    if (is_uuid(segment))
        return STRVIEW("{uuid}");
    if (segment.length >= KEY_LENGTH_MIN && digits >= segment.length / 4)
        return STRVIEW("{key}");
    return segment;
}

struct strview path_template_of(struct arena *arena, struct strview path)
{
    static const struct strview ellipsis = STRVIEW("…");
    char *out = arena_alloc(arena, PATH_TEMPLATE_BYTES + ellipsis.length);
    size_t used = 0;
    for (size_t at = 0; at < path.length;) {
        struct strview rest = strview_from(path, at);
        bool slash = rest.data[0] == '/';
        struct strview piece =
            slash ? strview_make(rest.data, 1) : strview_make(rest.data, strview_find(rest, '/'));
        at += piece.length;
        piece = slash ? piece : name_of_segment(piece);
        if (used + piece.length > PATH_TEMPLATE_BYTES) {
            memcpy(out + used, ellipsis.data, ellipsis.length);
            return strview_make(out, used + ellipsis.length);
        }
        memcpy(out + used, piece.data, piece.length);
        used += piece.length;
    }
    return strview_make(out, used);
}
