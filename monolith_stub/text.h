/*
 * A growing text with a hard limit, and the three ways we write into it: plain, JSON, HTML.
 * Owner: whoever calls text_init; text_done (or text_take) ends it. No thread of its own.
 * A write that would pass the limit or finds no memory marks the text as failed and changes
 * nothing more; so a page is built without a check per write and checked once at its end.
 */
#ifndef MONOLITH_TEXT_H
#define MONOLITH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of somebody else's text, not ended by a NUL. */
struct text_view {
    const char *bytes;
    size_t length;
};

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    size_t limit;
    bool failed;
};

/* Allocates nothing yet. limit_bytes is the longest the text may become. */
void text_init(struct text *text, size_t limit_bytes);
void text_done(struct text *text);

/* Empties the text and keeps its memory. */
void text_clear(struct text *text);

void text_append(struct text *text, const char *bytes, size_t length);
void text_append_string(struct text *text, const char *string);
void text_append_integer(struct text *text, int64_t value);

/* Writes a JSON string with its quotes (RFC 8259 section 7): the two-character escapes where
 * JSON has them, \u00XX for other control characters, everything else as it is. */
void text_append_json(struct text *text, const char *utf8, size_t length);

/* Writes text for HTML content or a quoted attribute: & < > " ' become references. */
void text_append_html(struct text *text, const char *utf8, size_t length);

/* Hands the bytes over (free them with free) and leaves the text empty. NULL if it failed. */
char *text_take(struct text *text, size_t *ret_length);

#endif
