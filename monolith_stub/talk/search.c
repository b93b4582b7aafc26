#include "monolith_stub/talk/search.h"

#include <string.h>

static bool is_blank(char byte)
{
    return memchr(" \t\r\n\v\f", byte, 6) != NULL;
}

/* A string of FTS5: in quotes, and quotes in it doubled. */
static void append_word(struct text *out, const char *word, const char *end)
{
    text_append_string(out, "\"");
    for (; word < end; word++)
        text_append(out, *word == '"' ? "\"\"" : word, *word == '"' ? 2 : 1);
    text_append_string(out, "\" ");
}

void search_write_expression(struct text *out, struct text_view words)
{
    const char *at = words.bytes;
    const char *end = at + words.length;
    for (unsigned count = 0; count < SEARCH_WORD_LIMIT; count++) {
        while (at < end && is_blank(*at))
            at++;
        const char *word = at;
        while (at < end && !is_blank(*at))
            at++;
        if (word == at)
            return;
        append_word(out, word, at);
    }
}
