#include "monolith_stub/legacy_id.h"

#include <stdlib.h>
#include <string.h>

static const int64_t largest_id = INT64_C(1) << 53;

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* How many bytes a character has that begins with this one; 0 if none can. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if ((first & 0xf0) == 0xe0)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Returns the bytes of one UTF-8 character at `at`, 0 if there is none (RFC 3629: shortest form,
 * no surrogates, nothing above U+10FFFF). */
static size_t utf8_character(const unsigned char *at, size_t left, uint32_t *ret_code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = utf8_length(at[0]);
    if (count == 0 || count > left)
        return 0;
    uint32_t code = count == 1 ? at[0] : at[0] & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fU);
    }
    if (code < smallest[count] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return count;
}

static bool is_utf8(const unsigned char *bytes, size_t length)
{
    uint32_t code;
    for (size_t at = 0; at < length;) {
        size_t count = utf8_character(bytes + at, length - at, &code);
        if (count == 0)
            return false;
        at += count;
    }
    return true;
}

/* ECMA-262, decodeURIComponent: all of the text, or nothing of it. */
static bool percent_decode(const char *text, size_t length, unsigned char *room, size_t *ret_length)
{
    size_t out = 0;
    for (size_t at = 0; at < length; at++) {
        if (text[at] != '%') {
            room[out++] = (unsigned char)text[at];
            continue;
        }
        if (length - at < 3 || hex_digit(text[at + 1]) < 0 || hex_digit(text[at + 2]) < 0)
            return false;
        room[out++] = (unsigned char)(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
        at += 2;
    }
    if (!is_utf8(room, out))
        return false;
    *ret_length = out;
    return true;
}

/* ECMA-262, WhiteSpace and LineTerminator. */
static bool is_white_space(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
           code == 0x202f || code == 0x205f || code == 0x3000 || code == 0xfeff;
}

static size_t white_space(const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t code;
        size_t count = utf8_character(bytes + at, length - at, &code);
        if (count == 0 || !is_white_space(code))
            break;
        at += count;
    }
    return at;
}

/* Reads the digits at the start; the rest is ignored. */
static bool read_digits(const unsigned char *text, size_t length, int base, int64_t *ret_value)
{
    int64_t value = 0;
    size_t at = 0;
    for (; at < length; at++) {
        int digit = hex_digit((char)text[at]);
        if (digit < 0 || digit >= base)
            break;
        value = value * base + digit;
        if (value > largest_id)
            return false;
    }
    if (at == 0)
        return false;
    *ret_value = value;
    return true;
}

/* ECMA-262, parseInt with no radix: white space, a sign, 0x for base 16, digits, anything. */
static bool parse_integer(const unsigned char *text, size_t length, int64_t *ret_value)
{
    size_t at = white_space(text, length);
    bool negative = at < length && text[at] == '-';
    if (at < length && (text[at] == '-' || text[at] == '+'))
        at++;
    int base = 10;
    if (length - at >= 2 && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
        base = 16;
        at += 2;
    }
    int64_t value;
    if (!read_digits(text + at, length - at, base, &value))
        return false;
    *ret_value = negative ? -value : value;
    return true;
}

bool legacy_id_read(const char *segment, size_t length, int64_t *ret_id)
{
    const unsigned char *raw = (const unsigned char *)segment;
    if (memchr(segment, '%', length) == NULL)
        return parse_integer(raw, length, ret_id);
    unsigned char *room = malloc(length);
    size_t decoded = 0;
    if (room == NULL)
        return false;
    bool well_formed = percent_decode(segment, length, room, &decoded);
    bool is_number =
        well_formed ? parse_integer(room, decoded, ret_id) : parse_integer(raw, length, ret_id);
    free(room);
    return is_number;
}
