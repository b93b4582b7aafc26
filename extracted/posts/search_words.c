#include "extracted/posts/search_words.h"

#include <string.h>

#include "extracted/service_kit/utf8.h"

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

const char *search_words_read(struct http_view text, struct body_text *expression)
{
    size_t count = utf8_count(text.bytes, text.length);
    if (count < 1 || count > SEARCH_CHARACTERS || memchr(text.bytes, 0, text.length) != NULL)
        return "A search is 1 to 200 characters long.";
    add_words(expression, text.bytes, text.bytes + text.length);
    return NULL;
}
