/*
 * The body of a message while it grows: bytes with a hard limit, and compact JSON written into it.
 * Owner: the message it belongs to. One thread at a time.
 * Once something did not fit, `overflowed` stays set and nothing more is written: check it once,
 * after the last write.
 */
#ifndef SERVICE_KIT_BODY_TEXT_H
#define SERVICE_KIT_BODY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct body_text {
    char *bytes;
    size_t length;
    size_t room;
    size_t limit;
    bool overflowed; /* past the limit, or no memory */
};

/* Allocates nothing. limit_bytes is the longest it may become. */
void body_text_init(struct body_text *body, size_t limit_bytes);
void body_text_done(struct body_text *body);

/* Forgets the content and the overflow, keeps the memory. */
void body_text_clear(struct body_text *body);

void body_text_add(struct body_text *body, const void *bytes, size_t length);
void body_text_add_string(struct body_text *body, const char *string);

/* JSON values (RFC 8259), without blanks. A string gets its quotes, the short escapes where there
 * are any, \u00XX for other control characters; everything else stays as it is. */
void body_text_add_json_integer(struct body_text *body, int64_t value);
void body_text_add_json_string(struct body_text *body, const char *utf8, size_t length);

#endif
