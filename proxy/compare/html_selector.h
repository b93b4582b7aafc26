/*
 * Which elements of a page are not compared: "p", ".by", "time.age", "#clock",
 * "input[name=csrf]", as CSS writes a simple selector. Compiled lists are const for all threads.
 */
#ifndef COMPARE_HTML_SELECTOR_H
#define COMPARE_HTML_SELECTOR_H

#include "proxy/compare/html_tokens.h"

enum { HTML_SELECTORS_MAX = 32, HTML_SELECTOR_TESTS_MAX = 4 };

/* The attribute has this value, or, for a class, this word; without value: it is there. */
struct html_test {
    struct strview attribute;
    struct strview value;
    bool word;
    bool present;
};

struct html_selector {
    struct strview element; /* empty: any */
    struct html_test tests[HTML_SELECTOR_TESTS_MAX];
    uint32_t count;
};

struct html_selector_list {
    const struct html_selector *items;
    uint32_t count;
};

/* Views `text`, whose names have to be lower case. False with *ret_fault (static text). */
bool html_selector_compile(struct strview text, struct html_selector *ret_selector,
                           const char **ret_fault);

bool html_selector_list_matches(const struct html_selector_list *list,
                                const struct html_token *token);

#endif
