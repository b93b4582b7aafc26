/* UUID version 7 (RFC 9562 section 5.7): ordered by time, so request ids sort. Pure, any thread. */
#ifndef HTTP_UUID_H
#define HTTP_UUID_H

#include <stdint.h>

enum { UUID_TEXT_BYTES = 36, UUID_RANDOM_BYTES = 10 };

/* Writes 36 characters, no terminator. `unix_ms` is cut to 48 bits. */
void uuid7_format(uint64_t unix_ms, const uint8_t random[static UUID_RANDOM_BYTES],
                  char ret_text[static UUID_TEXT_BYTES]);

/* Lower-case hexadecimal, two characters a byte, no terminator. */
void hex_format(const uint8_t *bytes, uint32_t length, char *ret_text);

#endif
