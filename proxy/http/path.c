#include "proxy/http/path.h"

/* What a byte of a request path means to the scan; plain ones are by far the most. */
enum byte_class {
    BYTE_PLAIN,
    BYTE_DOT,
    BYTE_PERCENT,
    BYTE_BACKSLASH,
    BYTE_QUESTION,
    BYTE_RAW,     /* above 0x7f: sent by who should have encoded it, and encoded by us */
    BYTE_INVALID, /* controls, space, '#', DEL: never part of a request target */
};

static const uint8_t byte_classes[256] = {
    [0 ... ' '] = BYTE_INVALID, [0x80 ... 0xff] = BYTE_RAW, ['#'] = BYTE_INVALID,
    [0x7f] = BYTE_INVALID,      ['.'] = BYTE_DOT,           ['%'] = BYTE_PERCENT,
    ['\\'] = BYTE_BACKSLASH,    ['?'] = BYTE_QUESTION,
};

static enum byte_class byte_class(char c)
{
    return (enum byte_class)byte_classes[(unsigned char)c];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that the encoding at `offset` ('%' is there) stands for, or -1 when it is none. */
static int percent_byte(struct strview path, size_t offset)
{
    if (path.length - offset < 3)
        return -1;
    int high = hex_digit(path.data[offset + 1]);
    int low = hex_digit(path.data[offset + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* RFC 3986 section 2.3 */
static bool byte_is_unreserved(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool hex_is_lower(char c)
{
    return c >= 'a' && c <= 'f';
}

struct path_scan {
    size_t length; /* of the path: up to the '?' or the end */
    bool valid;
    bool ambiguous;
    bool encodings_change;
    size_t raw; /* bytes */
    bool dot_segments;
};

static void scan_percent(struct strview target, size_t offset, struct path_scan *scan)
{
    int byte = percent_byte(target, offset);
    if (byte < 0)
        scan->valid = false;
    else if (byte == '/' || byte == '\\' || byte == '\0')
        scan->ambiguous = true;
    else if (byte_is_unreserved(byte) || hex_is_lower(target.data[offset + 1]) ||
             hex_is_lower(target.data[offset + 2]))
        scan->encodings_change = true;
}

/* What a segment that begins with the dot at `offset` is: nothing special, or to be resolved. */
static void scan_dot(struct strview target, size_t offset, struct path_scan *scan)
{
    if (offset == 0 || target.data[offset - 1] != '/')
        return;
    size_t end = offset + 1;
    bool parent = end < target.length && target.data[end] == '.';
    end += parent ? 1 : 0;
    char after = end < target.length ? target.data[end] : '/';
    if (after == '/' || after == '?')
        scan->dot_segments = true;
    /* Some servers see a parameter of "..", others a name. */
    else if (parent && after == ';')
        scan->ambiguous = true;
}

/* The place of the first byte from `from` on that is not plain, or the length. */
static size_t skip_plain(struct strview target, size_t from)
{
    while (from < target.length && byte_class(target.data[from]) == BYTE_PLAIN)
        from++;
    return from;
}

static struct path_scan path_scan(struct strview target)
{
    struct path_scan scan = {.length = target.length, .valid = true};
    for (size_t i = skip_plain(target, 0); i < target.length && scan.valid;
         i = skip_plain(target, i + 1)) {
        switch (byte_class(target.data[i])) {
        case BYTE_PLAIN:
            break;
        case BYTE_DOT:
            scan_dot(target, i, &scan);
            break;
        case BYTE_PERCENT:
            scan_percent(target, i, &scan);
            break;
        case BYTE_BACKSLASH:
            scan.ambiguous = true;
            break;
        case BYTE_QUESTION:
            scan.length = i;
            return scan;
        case BYTE_RAW:
            scan.raw++;
            break;
        case BYTE_INVALID:
            scan.valid = false;
            break;
        }
    }
    return scan;
}

static bool query_is_valid(struct strview query, size_t *ret_raw)
{
    size_t raw = 0;
    for (size_t i = 0; i < query.length; i++) {
        enum byte_class class = byte_class(query.data[i]);
        if (class == BYTE_INVALID)
            return false;
        raw += class == BYTE_RAW;
    }
    *ret_raw = raw;
    return true;
}

static size_t put_encoded(int byte, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    out[0] = '%';
    out[1] = digits[byte >> 4];
    out[2] = digits[byte & 15];
    return 3;
}

/* Copies `path` (valid) with every encoding in its one form; `out` has room for the length, and for
 * two bytes more for each raw one. */
static size_t normalise_encodings(struct strview path, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < path.length; i++) {
        enum byte_class class = byte_class(path.data[i]);
        int byte = class == BYTE_PERCENT ? percent_byte(path, i) : (unsigned char)path.data[i];
        bool plain = class == BYTE_PERCENT ? byte_is_unreserved(byte) : class != BYTE_RAW;
        if (plain)
            out[used++] = (char)byte;
        else
            used += put_encoded(byte, out + used);
        i += class == BYTE_PERCENT ? 2 : 0;
    }
    return used;
}

static struct strview encode_raw(struct arena *arena, struct strview query, size_t raw)
{
    if (raw == 0)
        return query;
    char *bytes = arena_alloc(arena, query.length + 2 * raw);
    size_t used = 0;
    for (size_t i = 0; i < query.length; i++) {
        if (byte_class(query.data[i]) == BYTE_RAW)
            used += put_encoded((unsigned char)query.data[i], bytes + used);
        else
            bytes[used++] = query.data[i];
    }
    return strview_make(bytes, used);
}

/* Does a segment begin with "..;", now that its dots are decoded? */
static bool has_dots_with_parameter(struct strview path)
{
    for (size_t i = 0; i + 3 < path.length; i++) {
        if (memcmp(path.data + i, "/..;", 4) == 0)
            return true;
    }
    return false;
}

/*
 * RFC 3986 section 5.2.4 in place, for a path that begins with '/': "." goes, ".." takes the
 * segment before it along, and either of them at the end leaves a '/'.
 */
static size_t resolve_dot_segments(char *path, size_t length)
{
    size_t used = 0;
    size_t at = 0;
    while (at < length) {
        size_t end = at + 1;
        while (end < length && path[end] != '/')
            end++;
        struct strview segment = strview_make(path + at, end - at);
        bool parent = strview_equal(segment, STRVIEW("/.."));
        if (parent || strview_equal(segment, STRVIEW("/."))) {
            while (parent && used > 0 && path[--used] != '/')
                continue;
            if (end == length)
                path[used++] = '/';
        } else {
            memmove(path + used, path + at, segment.length);
            used += segment.length;
        }
        at = end;
    }
    return used;
}

static enum path_kind path_rebuild(struct arena *arena, struct strview path, size_t raw,
                                   struct strview *ret_path)
{
    char *bytes = arena_alloc(arena, path.length + 2 * raw);
    size_t length = normalise_encodings(path, bytes);
    if (has_dots_with_parameter(strview_make(bytes, length))) {
        *ret_path = path;
        return PATH_AMBIGUOUS;
    }
    *ret_path = strview_make(bytes, resolve_dot_segments(bytes, length));
    return PATH_CANONICAL;
}

enum path_kind path_canonical(struct arena *arena, struct strview target, struct strview *ret_path,
                              struct strview *ret_query)
{
    if (strview_equal(target, STRVIEW("*"))) {
        *ret_path = target;
        *ret_query = strview_from(target, target.length);
        return PATH_ASTERISK;
    }
    if (target.length == 0 || target.data[0] != '/')
        return PATH_INVALID;
    struct path_scan scan = path_scan(target);
    struct strview query = strview_from(target, scan.length);
    size_t raw = 0;
    if (!scan.valid || !query_is_valid(query, &raw))
        return PATH_INVALID;
    struct strview path = strview_make(target.data, scan.length);
    enum path_kind kind = scan.ambiguous ? PATH_AMBIGUOUS : PATH_CANONICAL;
    *ret_path = path;
    if (!scan.ambiguous && (scan.encodings_change || scan.dot_segments || scan.raw > 0))
        kind = path_rebuild(arena, path, scan.raw, ret_path);
    *ret_query = kind == PATH_CANONICAL ? encode_raw(arena, query, raw) : query;
    return kind;
}

/* Where a tolerant reader ends a segment's name: parameters, a terminator, a query, a fragment. */
static bool byte_cuts_segment(char c)
{
    return c == ';' || c == '\0' || c == '?' || c == '#';
}

static bool is_folded(struct strview path)
{
    char before = '\0';
    for (size_t i = 0; i < path.length; i++) {
        char c = path.data[i];
        if (c == '%' || c == '\\' || c != ascii_lower(c) || byte_cuts_segment(c) ||
            (before == '/' && (c == '/' || c == '.')))
            return false;
        before = c;
    }
    return path.length > 0 && path.data[0] == '/';
}

/*
 * Copies `path` in lower case, backslashes as slashes, with every encoding decoded until none is
 * left: an encoding is replaced as soon as its last digit is written, so that what it gives can be
 * part of the next. One pass, however deep encodings are nested.
 */
static size_t fold_bytes(struct strview path, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < path.length; i++) {
        out[used++] = path.data[i] == '\\' ? '/' : ascii_lower(path.data[i]);
        while (used >= 3 && out[used - 3] == '%') {
            int byte = percent_byte(strview_make(out, used), used - 3);
            if (byte < 0)
                break;
            used -= 2;
            out[used - 1] = byte == '\\' ? '/' : ascii_lower((char)byte);
        }
    }
    return used;
}

/* Cuts each segment and makes runs of slashes one, in place; `path` has room for one byte more. */
static size_t fold_segments(char *path, size_t length)
{
    size_t used = 0;
    bool cut = false;
    for (size_t i = 0; i < length; i++) {
        char c = path[i];
        cut = c != '/' && (cut || byte_cuts_segment(c));
        if (cut || (c == '/' && used > 0 && path[used - 1] == '/'))
            continue;
        path[used++] = c;
    }
    if (used > 0 && path[0] == '/')
        return used;
    memmove(path + 1, path, used);
    path[0] = '/';
    return used + 1;
}

struct strview path_folded_literal(struct arena *arena, struct strview path)
{
    if (is_folded(path))
        return path;
    char *bytes = arena_alloc(arena, path.length + 1);
    return strview_make(bytes, fold_segments(bytes, fold_bytes(path, bytes)));
}

struct strview path_folded(struct arena *arena, struct strview path)
{
    if (is_folded(path))
        return path;
    char *bytes = arena_alloc(arena, path.length + 1);
    size_t length = fold_segments(bytes, fold_bytes(path, bytes));
    return strview_make(bytes, resolve_dot_segments(bytes, length));
}
