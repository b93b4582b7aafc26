#include "monolith_stub/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

void text_init(struct text *text, size_t limit_bytes)
{
    *text = (struct text){.limit = limit_bytes};
}

void text_done(struct text *text)
{
    free(text->bytes);
    *text = (struct text){.limit = text->limit};
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
}

static bool text_reserve(struct text *text, size_t more)
{
    if (text->failed || more > text->limit - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + more;
    if (needed <= text->capacity && text->bytes != NULL)
        return true;
    size_t capacity = text->capacity > 0 ? text->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
    if (length == 0 || !text_reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void text_append_string(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_append_integer(struct text *text, int64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRId64, value);
    text_append(text, digits, (size_t)length);
}

/* Writes the run of plain bytes before `at`, then what stands for the byte there. */
static void append_escaped(struct text *text, const char *run, const char *at, const char *escape)
{
    text_append(text, run, (size_t)(at - run));
    text_append_string(text, escape);
}

static const char *json_escape(unsigned char byte, char (*room)[8])
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (byte >= 0x20)
        return NULL;
    snprintf(*room, sizeof(*room), "\\u%04x", byte);
    return *room;
}

void text_append_json(struct text *text, const char *utf8, size_t length)
{
    text_append(text, "\"", 1);
    const char *run = utf8;
    const char *end = utf8 + length;
    for (const char *at = utf8; at < end; at++) {
        char room[8];
        const char *escape = json_escape((unsigned char)*at, &room);
        if (escape == NULL)
            continue;
        append_escaped(text, run, at, escape);
        run = at + 1;
    }
    text_append(text, run, (size_t)(end - run));
    text_append(text, "\"", 1);
}

static const char *html_escape(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_append_html(struct text *text, const char *utf8, size_t length)
{
    const char *run = utf8;
    const char *end = utf8 + length;
    for (const char *at = utf8; at < end; at++) {
        const char *escape = html_escape(*at);
        if (escape == NULL)
            continue;
        append_escaped(text, run, at, escape);
        run = at + 1;
    }
    text_append(text, run, (size_t)(end - run));
}

char *text_take(struct text *text, size_t *ret_length)
{
    if (text->failed || !text_reserve(text, 0))
        return NULL;
    char *bytes = text->bytes;
    *ret_length = text->length;
    *text = (struct text){.limit = text->limit};
    return bytes;
}
