/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. Pure.
 */
#ifndef MONOLITH_UTF8_H
#define MONOLITH_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_is_valid(const char *bytes, size_t length);

/* Code points of valid UTF-8. */
size_t utf8_count(const char *bytes, size_t length);

#endif
