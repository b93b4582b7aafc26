#include "proxy/http/uuid.h"

#include <string.h>

/* Two digits at once: of 0x2a they stand at 0x54. */
#define SIXTEEN(high)                                                                              \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high \
         "a" high "b" high "c" high "d" high "e" high "f"
static const char pairs[] = SIXTEEN("0") SIXTEEN("1") SIXTEEN("2") SIXTEEN("3") SIXTEEN("4")
    SIXTEEN("5") SIXTEEN("6") SIXTEEN("7") SIXTEEN("8") SIXTEEN("9") SIXTEEN("a") SIXTEEN("b")
        SIXTEEN("c") SIXTEEN("d") SIXTEEN("e") SIXTEEN("f");

void hex_format(const uint8_t *bytes, uint32_t length, char *ret_text)
{
    for (uint32_t i = 0; i < length; i++)
        memcpy(ret_text + (size_t)2 * i, pairs + (size_t)2 * bytes[i], 2);
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
    hex_format(bytes, 4, ret_text);
    hex_format(bytes + 4, 2, ret_text + 9);
    hex_format(bytes + 6, 2, ret_text + 14);
    hex_format(bytes + 8, 2, ret_text + 19);
    hex_format(bytes + 10, 6, ret_text + 24);
    ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
}
