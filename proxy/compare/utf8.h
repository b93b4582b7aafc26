/* UTF-8 as RFC 3629 has it. Pure, any thread. */
#ifndef COMPARE_UTF8_H
#define COMPARE_UTF8_H

#include "proxy/core/strview.h"

/* No overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(struct strview text);

/* The beginning of a text, at most `bytes_max` long, that cuts no character in two. */
struct strview utf8_clip(struct strview text, size_t bytes_max);

enum { UTF8_CHARACTER_BYTES = 4 };

/* Writes one character; returns its length, or 0 for what is no character (a surrogate, too large).
 */
size_t utf8_write(uint32_t character, char out[static UTF8_CHARACTER_BYTES]);

#endif
