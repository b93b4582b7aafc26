#include "proxy/http1/http1_guard.h"

#include "proxy/http/headers.h"

void http1_guard_begin_fields(struct http1_guard *guard)
{
    *guard = (struct http1_guard){.state = HTTP1_GUARD_LINE};
}

void http1_guard_begin_chunks(struct http1_guard *guard)
{
    *guard = (struct http1_guard){.state = HTTP1_GUARD_SIZE, .last_chunk = true};
}

static enum http1_guard_state expect(char c, char wanted, enum http1_guard_state next)
{
    return c == wanted ? next : HTTP1_GUARD_BAD;
}

/* RFC 9110 section 5.5; CR ends the value. */
static enum http1_guard_state after_value_byte(char c, enum http1_guard_state same,
                                               enum http1_guard_state at_cr)
{
    unsigned char byte = (unsigned char)c;
    if (byte == '\r')
        return at_cr;
    return (byte < 0x20 && byte != '\t') || byte == 0x7f ? HTTP1_GUARD_BAD : same;
}

static bool byte_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static enum http1_guard_state after_size_byte(struct http1_guard *guard, char c)
{
    if (byte_is_hex(c)) {
        guard->size_digits = guard->state == HTTP1_GUARD_SIZE ? 1 : guard->size_digits + 1;
        if (guard->size_digits > HTTP1_SIZE_DIGITS)
            return HTTP1_GUARD_BAD;
        guard->last_chunk = guard->last_chunk && c == '0';
        return HTTP1_GUARD_DIGITS;
    }
    if (guard->state == HTTP1_GUARD_SIZE)
        return HTTP1_GUARD_BAD;
    return c == '\r' ? HTTP1_GUARD_SIZE_LF : expect(c, ';', HTTP1_GUARD_EXTENSION);
}

static enum http1_guard_state after_size_line(struct http1_guard *guard)
{
    if (guard->last_chunk)
        return HTTP1_GUARD_LINE;
    guard->last_chunk = true; /* until a digit of the next says otherwise */
    return HTTP1_GUARD_DATA;
}

static enum http1_guard_state after_byte(struct http1_guard *guard, char c)
{
    switch (guard->state) {
    case HTTP1_GUARD_LINE:
        if (c == '\r')
            return HTTP1_GUARD_LAST_LF;
        return header_byte_is_token(c) ? HTTP1_GUARD_NAME : HTTP1_GUARD_BAD;
    case HTTP1_GUARD_NAME:
        return header_byte_is_token(c) ? HTTP1_GUARD_NAME : expect(c, ':', HTTP1_GUARD_VALUE);
    case HTTP1_GUARD_VALUE:
        return after_value_byte(c, HTTP1_GUARD_VALUE, HTTP1_GUARD_VALUE_LF);
    case HTTP1_GUARD_VALUE_LF:
        return expect(c, '\n', HTTP1_GUARD_LINE);
    case HTTP1_GUARD_LAST_LF:
        return expect(c, '\n', HTTP1_GUARD_END);
    case HTTP1_GUARD_SIZE:
    case HTTP1_GUARD_DIGITS:
        return after_size_byte(guard, c);
    case HTTP1_GUARD_EXTENSION:
        if (++guard->extension_bytes > HTTP1_EXTENSION_BYTES)
            return HTTP1_GUARD_BAD;
        return after_value_byte(c, HTTP1_GUARD_EXTENSION, HTTP1_GUARD_SIZE_LF);
    case HTTP1_GUARD_SIZE_LF:
        return c == '\n' ? after_size_line(guard) : HTTP1_GUARD_BAD;
    case HTTP1_GUARD_DATA:
        return expect(c, '\r', HTTP1_GUARD_DATA_LF);
    case HTTP1_GUARD_DATA_LF:
        return expect(c, '\n', HTTP1_GUARD_SIZE);
    case HTTP1_GUARD_END:
    case HTTP1_GUARD_BAD:
        break;
    }
    return guard->state;
}

/* Most bytes of a head stand in values. */
static size_t skip_value(const char *data, size_t length)
{
    size_t skipped = 0;
    while (skipped < length && (unsigned char)data[skipped] >= 0x20 && data[skipped] != 0x7f)
        skipped++;
    return skipped;
}

size_t http1_guard_take(struct http1_guard *guard, const char *data, size_t length)
{
    size_t taken = 0;
    while (taken < length && guard->state != HTTP1_GUARD_END && guard->state != HTTP1_GUARD_BAD) {
        bool in_fields = guard->state <= HTTP1_GUARD_LAST_LF;
        size_t part = 1;
        size_t plain =
            guard->state == HTTP1_GUARD_VALUE ? skip_value(data + taken, length - taken) : 0;
        if (plain > 0)
            part = plain;
        else
            guard->state = after_byte(guard, data[taken]);
        guard->section_bytes += in_fields ? (uint32_t)part : 0;
        taken += part;
    }
    return taken;
}
