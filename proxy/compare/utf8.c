#include "proxy/compare/utf8.h"

/* Length of the sequence that begins with this byte, and the range of the second; RFC 3629 section
 * 4. */
struct sequence {
    size_t length;
    unsigned char second_least;
    unsigned char second_most;
};

static struct sequence sequence_of(unsigned char first)
{
    if (first >= 0xc2 && first <= 0xdf)
        return (struct sequence){2, 0x80, 0xbf};
    if (first >= 0xe0 && first <= 0xef)
        return (struct sequence){3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf};
    if (first >= 0xf0 && first <= 0xf4)
        return (struct sequence){4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf};
    return (struct sequence){0, 0, 0};
}

static bool sequence_is_valid(struct strview text, size_t at, struct sequence sequence)
{
    if (sequence.length == 0 || text.length - at < sequence.length)
        return false;
    unsigned char second = (unsigned char)text.data[at + 1];
    if (second < sequence.second_least || second > sequence.second_most)
        return false;
    for (size_t i = 2; i < sequence.length; i++) {
        if (((unsigned char)text.data[at + i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

bool utf8_is_valid(struct strview text)
{
    for (size_t i = 0; i < text.length;) {
        unsigned char first = (unsigned char)text.data[i];
        if (first < 0x80) {
            i++;
            continue;
        }
        struct sequence sequence = sequence_of(first);
        if (!sequence_is_valid(text, i, sequence))
            return false;
        i += sequence.length;
    }
    return true;
}

struct strview utf8_clip(struct strview text, size_t bytes_max)
{
    if (text.length <= bytes_max)
        return text;
    size_t length = bytes_max;
    while (length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
        length--;
    return strview_make(text.data, length);
}

size_t utf8_write(uint32_t character, char out[static UTF8_CHARACTER_BYTES])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        if (character >= 0xd800 && character <= 0xdfff)
            return 0;
        out[0] = (char)(0xe0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3f));
        out[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    if (character > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3f));
    out[2] = (char)(0x80 | (character >> 6 & 0x3f));
    out[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}
