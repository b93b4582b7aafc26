#include "monolith_stub/input/utf8.h"

/* How many bytes follow the first, and between what the second one has to be (RFC 3629
 * section 4). */
static bool read_first(unsigned char first, size_t *ret_more, unsigned char *ret_low,
                       unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xbf;
    if (first < 0x80) {
        *ret_more = 0;
    } else if (first >= 0xc2 && first <= 0xdf) {
        *ret_more = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
        *ret_more = 2;
        *ret_low = first == 0xe0 ? 0xa0 : 0x80;
        *ret_high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        *ret_more = 3;
        *ret_low = first == 0xf0 ? 0x90 : 0x80;
        *ret_high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return false;
    }
    return true;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + length;
    while (at < end) {
        size_t more;
        unsigned char low;
        unsigned char high;
        if (!read_first(*at++, &more, &low, &high) || (size_t)(end - at) < more)
            return false;
        for (; more > 0; more--, at++) {
            if (*at < low || *at > high)
                return false;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

size_t utf8_count(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}
