/*
 * What people search for, as an expression of FTS5 in which every word is a plain string: nothing
 * they type has a meaning of its own. Pure.
 */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/http_message.h"

enum { SEARCH_CHARACTERS = 200, SEARCH_WORDS = 16, SEARCH_EXPRESSION_LIMIT = 4096 };

/* NULL: the expression of the words was appended, which is empty if there are none; it fits into
 * SEARCH_EXPRESSION_LIMIT. Else a sentence that says what is wrong. `text` is valid UTF-8. */
const char *search_words_read(struct http_view text, struct body_text *expression);

#endif
