#include "extracted/service_kit/path_id.h"

#include <stdlib.h>
#include <string.h>

/* Text that is read from its front. */
struct reader {
    const unsigned char *at;
    const unsigned char *end;
};

static int digit_value(unsigned char byte)
{
    switch (byte) {
    case '0' ... '9':
        return byte - '0';
    case 'a' ... 'f':
        return byte - 'a' + 10;
    case 'A' ... 'F':
        return byte - 'A' + 10;
    default:
        return 16;
    }
}

/* The next character of UTF-8 text (RFC 3629), or -1, with the reader where it was. */
static int32_t next_character(struct reader *text)
{
    /* By length: what the first byte has besides its payload, and the smallest code allowed. */
    static const struct {
        unsigned char mask, mark;
        int32_t smallest;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (unsigned more = 0; more < 4 && text->at < text->end; more++) {
        if ((text->at[0] & forms[more].mask) != forms[more].mark)
            continue;
        if ((size_t)(text->end - text->at) <= more)
            return -1;
        int32_t code = text->at[0] & ~forms[more].mask & 0xff;
        for (unsigned i = 1; i <= more; i++) {
            if ((text->at[i] & 0xc0) != 0x80)
                return -1;
            code = code * 64 + (text->at[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        if (code < forms[more].smallest || code > 0x10ffff || surrogate)
            return -1;
        text->at += more + 1;
        return code;
    }
    return -1;
}

static bool is_blank(int32_t code)
{
    switch (code) {
    case 0x09 ... 0x0d:
    case 0x20:
    case 0xa0:
    case 0x1680:
    case 0x2000 ... 0x200a:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xfeff:
        return true;
    default:
        return false;
    }
}

static void skip_blanks(struct reader *text)
{
    struct reader ahead = *text;
    while (is_blank(next_character(&ahead)))
        *text = ahead;
}

static bool skip_byte(struct reader *text, const char *choices)
{
    if (text->at == text->end || *text->at == 0 || strchr(choices, *text->at) == NULL)
        return false;
    text->at++;
    return true;
}

static bool parse_number(struct reader text, int64_t *ret_number)
{
    const int64_t largest = INT64_C(1) << 53;
    skip_blanks(&text);
    bool negative = text.at < text.end && *text.at == '-';
    skip_byte(&text, "+-");
    struct reader hex = text;
    bool is_hex = skip_byte(&hex, "0") && skip_byte(&hex, "xX");
    if (is_hex)
        text = hex;
    int base = is_hex ? 16 : 10;
    const unsigned char *first = text.at;
    int64_t number = 0;
    for (; text.at < text.end && digit_value(*text.at) < base; text.at++) {
        number = number * base + digit_value(*text.at);
        if (number > largest)
            return false;
    }
    if (text.at == first)
        return false;
    *ret_number = negative ? -number : number;
    return true;
}

/* Into room, which is as long as the segment. False: malformed, use the segment as it is. */
static bool decode(const char *segment, size_t length, unsigned char *room, size_t *ret_length)
{
    struct reader raw = {(const unsigned char *)segment, (const unsigned char *)segment + length};
    unsigned char *out = room;
    while (raw.at < raw.end) {
        unsigned char byte = *raw.at++;
        if (byte == '%') {
            if (raw.end - raw.at < 2 || digit_value(raw.at[0]) > 15 || digit_value(raw.at[1]) > 15)
                return false;
            byte = (unsigned char)(digit_value(raw.at[0]) << 4 | digit_value(raw.at[1]));
            raw.at += 2;
        }
        *out++ = byte;
    }
    struct reader decoded = {room, out};
    while (decoded.at < decoded.end) {
        if (next_character(&decoded) < 0)
            return false;
    }
    *ret_length = (size_t)(out - room);
    return true;
}

bool path_id_parse(const char *segment, size_t length, int64_t *ret_id)
{
    const unsigned char *raw = (const unsigned char *)segment;
    if (memchr(segment, '%', length) == NULL)
        return parse_number((struct reader){raw, raw + length}, ret_id);
    unsigned char *room = malloc(length);
    if (room == NULL)
        return false;
    struct reader text = {raw, raw + length};
    size_t decoded = 0;
    if (decode(segment, length, room, &decoded))
        text = (struct reader){room, room + decoded};
    bool is_number = parse_number(text, ret_id);
    free(room);
    return is_number;
}
