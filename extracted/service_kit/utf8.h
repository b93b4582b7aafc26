/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. Pure; any
 * thread.
 */
#ifndef SERVICE_KIT_UTF8_H
#define SERVICE_KIT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that is read from its front. */
struct utf8_reader {
    const unsigned char *at;
    const unsigned char *end;
};

/* The next character, or -1 at the end and where there is none, with the reader where it was. */
int32_t utf8_next(struct utf8_reader *text);

bool utf8_is_valid(const char *bytes, size_t length);

/* Characters of valid UTF-8. */
size_t utf8_count(const char *bytes, size_t length);

#endif
