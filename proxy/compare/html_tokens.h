/*
 * An HTML page as a flat list of tokens, for comparison: tolerant as browsers are, linear in the
 * size of the page, no tree. Comments are left out, white space between words is one space, names
 * are lower case, attributes are sorted by name, character references are resolved where that is
 * certain. Tokens view the text or lie in the caller's arena. Any thread.
 */
#ifndef COMPARE_HTML_TOKENS_H
#define COMPARE_HTML_TOKENS_H

#include "proxy/core/arena.h"

/* Of a page: tokens, attributes of one of them, attributes of all. */
enum { HTML_TOKENS_MAX = 200000, HTML_ATTRIBUTES_MAX = 64, HTML_ATTRIBUTES_OF_ALL_MAX = 200000 };

enum html_token_kind { HTML_TEXT, HTML_OPEN, HTML_CLOSE, HTML_DOCTYPE };

struct html_attribute {
    struct strview name;
    struct strview value;
};

struct html_token {
    enum html_token_kind kind;
    bool is_void;        /* an element that has no end: <br>, <img>, … */
    bool end_may_lack;   /* an element whose end tag may be left out: <p>, <li>, … */
    struct strview name; /* of an element */
    struct strview text;
    struct html_attribute *attributes;
    uint32_t attribute_count;
};

struct html_tokens {
    struct html_token *items;
    uint32_t count;
};

/* Returns NULL, or in words of a static text why it is no page to compare. */
const char *html_tokens_read(struct arena *arena, struct strview text,
                             struct html_tokens *ret_tokens);

/* The attribute called `name`, or NULL. */
const struct html_attribute *html_token_attribute(const struct html_token *token,
                                                  struct strview name);

#endif
