#include "proxy/http/uuid.h"

#include <string.h>

void hex_format(const uint8_t *bytes, uint32_t length, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < length; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

void uuid7_format(uint64_t unix_ms, const uint8_t random[static UUID_RANDOM_BYTES],
                  char ret_text[static UUID_TEXT_BYTES])
{
    uint8_t bytes[16];
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
    memcpy(bytes + 6, random, UUID_RANDOM_BYTES);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x70); /* version 7 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* variant */
    static const uint8_t group_bytes[] = {4, 2, 2, 2, 6};
    uint32_t at = 0;
    for (int group = 0; group < 5; group++) {
        if (group > 0)
            *ret_text++ = '-';
        hex_format(bytes + at, group_bytes[group], ret_text);
        ret_text += 2 * group_bytes[group];
        at += group_bytes[group];
    }
}
