#include "extracted/service_kit/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void hex_write(const unsigned char *bytes, size_t count, char *ret_text)
{
    for (size_t i = 0; i < count; i++) {
        *ret_text++ = digits[bytes[i] >> 4];
        *ret_text++ = digits[bytes[i] & 15];
    }
    *ret_text = 0;
}

static bool read_digit(char letter, unsigned *ret_value)
{
    if (letter >= 'A' && letter <= 'F')
        letter = (char)(letter | 0x20);
    const char *digit = letter != 0 ? strchr(digits, letter) : NULL;
    if (digit == NULL)
        return false;
    *ret_value = (unsigned)(digit - digits);
    return true;
}

bool hex_read(struct http_view text, unsigned char *ret_bytes, size_t count)
{
    unsigned high;
    unsigned low;
    if (text.length != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_digit(text.bytes[2 * i], &high) || !read_digit(text.bytes[2 * i + 1], &low))
            return false;
        ret_bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
