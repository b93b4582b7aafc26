#include "extracted/service_kit/body_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_ROOM = 512 };

void body_text_init(struct body_text *body, size_t limit_bytes)
{
    *body = (struct body_text){.limit = limit_bytes};
}

void body_text_done(struct body_text *body)
{
    free(body->bytes);
    body_text_init(body, body->limit);
}

void body_text_clear(struct body_text *body)
{
    body->length = 0;
    body->overflowed = false;
}

static bool grow(struct body_text *body, size_t needed)
{
    size_t room = body->room < SMALLEST_ROOM ? SMALLEST_ROOM : body->room;
    while (room < needed)
        room += room;
    char *bytes = realloc(body->bytes, room);
    if (bytes == NULL)
        return false;
    body->bytes = bytes;
    body->room = room;
    return true;
}

void body_text_add(struct body_text *body, const void *bytes, size_t length)
{
    if (length == 0 || body->overflowed)
        return;
    bool fits = length <= body->limit - body->length;
    if (fits && body->length + length > body->room)
        fits = grow(body, body->length + length);
    if (!fits) {
        body->overflowed = true;
        return;
    }
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
}

void body_text_add_string(struct body_text *body, const char *string)
{
    body_text_add(body, string, strlen(string));
}

void body_text_add_json_integer(struct body_text *body, int64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRId64, value);
    body_text_add(body, digits, (size_t)length);
}

static bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static void add_escape(struct body_text *body, unsigned char byte)
{
    /* The letter after the backslash, by control character; 0 where JSON has none. */
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char letter = byte < 0x20 ? letters[byte] : (char)byte;
    if (letter != 0) {
        body_text_add(body, (char[]){'\\', letter}, 2);
        return;
    }
    char code[8];
    int length = snprintf(code, sizeof(code), "\\u%04x", byte);
    body_text_add(body, code, (size_t)length);
}

void body_text_add_json_string(struct body_text *body, const char *utf8, size_t length)
{
    body_text_add(body, "\"", 1);
    size_t at = 0;
    while (at < length) {
        size_t plain = at;
        while (plain < length && !needs_escape((unsigned char)utf8[plain]))
            plain++;
        body_text_add(body, utf8 + at, plain - at);
        if (plain < length)
            add_escape(body, (unsigned char)utf8[plain++]);
        at = plain;
    }
    body_text_add(body, "\"", 1);
}
