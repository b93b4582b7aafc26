#include "extracted/posts/search_words.h"

#include <jansson.h>
#include <string.h>

enum { DECODED_LIMIT = 4 * SEARCH_CHARACTERS };

static int digit_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* False: too long, or an escape that is none. */
static bool decode(struct http_view encoded, char *room, size_t *ret_length)
{
    size_t length = 0;
    for (size_t i = 0; i < encoded.length; i++) {
        char byte = encoded.bytes[i] == '+' ? ' ' : encoded.bytes[i];
        if (byte == '%') {
            bool is_whole = encoded.length - i > 2;
            int high = is_whole ? digit_value(encoded.bytes[i + 1]) : -1;
            int low = is_whole ? digit_value(encoded.bytes[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (length == DECODED_LIMIT)
            return false;
        room[length++] = byte;
    }
    *ret_length = length;
    return true;
}

static bool is_readable(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (bytes[i] & 0xc0) != 0x80 ? 1 : 0;
    json_t *checked = json_stringn(bytes, length); /* NULL if it is no UTF-8 */
    json_decref(checked);
    return checked != NULL && count <= SEARCH_CHARACTERS && memchr(bytes, 0, length) == NULL;
}

static bool is_blank(char byte)
{
    return memchr(" \t\r\n\v\f", byte, 6) != NULL;
}

static void add_word(struct body_text *expression, const char *word, const char *end)
{
    body_text_add_string(expression, "\"");
    for (; word < end; word++)
        body_text_add(expression, *word == '"' ? "\"\"" : word, *word == '"' ? 2 : 1);
    body_text_add_string(expression, "\" ");
}

static void add_words(struct body_text *expression, const char *at, const char *end)
{
    for (unsigned count = 0; count < SEARCH_WORDS; count++) {
        while (at < end && is_blank(*at))
            at++;
        const char *word = at;
        while (at < end && !is_blank(*at))
            at++;
        if (word == at)
            return;
        add_word(expression, word, at);
    }
}

const char *search_words_read(struct http_view encoded, struct body_text *expression)
{
    char room[DECODED_LIMIT];
    size_t length = 0;
    if (!decode(encoded, room, &length) || !is_readable(room, length))
        return "A search is 1 to 200 characters long, in UTF-8.";
    add_words(expression, room, room + length);
    return expression->length > 0 ? NULL : "It has no word in it.";
}
