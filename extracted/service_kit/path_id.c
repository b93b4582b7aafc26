#include "extracted/service_kit/path_id.h"

#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/utf8.h"

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

static void skip_blanks(struct utf8_reader *text)
{
    struct utf8_reader ahead = *text;
    while (is_blank(utf8_next(&ahead)))
        *text = ahead;
}

static bool skip_byte(struct utf8_reader *text, const char *choices)
{
    if (text->at == text->end || *text->at == 0 || strchr(choices, *text->at) == NULL)
        return false;
    text->at++;
    return true;
}

static bool parse_number(struct utf8_reader text, int64_t *ret_number)
{
    const int64_t largest = INT64_C(1) << 53;
    skip_blanks(&text);
    bool negative = text.at < text.end && *text.at == '-';
    skip_byte(&text, "+-");
    struct utf8_reader hex = text;
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
    struct utf8_reader raw = {(const unsigned char *)segment,
                              (const unsigned char *)segment + length};
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
    *ret_length = (size_t)(out - room);
    return utf8_is_valid((const char *)room, *ret_length);
}

bool path_id_parse(const char *segment, size_t length, int64_t *ret_id)
{
    const unsigned char *raw = (const unsigned char *)segment;
    if (memchr(segment, '%', length) == NULL)
        return parse_number((struct utf8_reader){raw, raw + length}, ret_id);
    unsigned char *room = malloc(length);
    if (room == NULL)
        return false;
    struct utf8_reader text = {raw, raw + length};
    size_t decoded = 0;
    if (decode(segment, length, room, &decoded))
        text = (struct utf8_reader){room, room + decoded};
    bool is_number = parse_number(text, ret_id);
    free(room);
    return is_number;
}
