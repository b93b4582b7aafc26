/*
 * What people search for, as an expression of FTS5 in which every word is a plain string: nothing
 * they type has a meaning of its own. Pure.
 */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/http_message.h"

enum { SEARCH_CHARACTERS = 200, SEARCH_WORDS = 16, SEARCH_EXPRESSION_LIMIT = 4096 };

/* NULL: the expression was appended. Else a sentence that says what is wrong with `encoded`, a
 * value as queries hold it (percent escapes, plus signs for blanks). */
const char *search_words_read(struct http_view encoded, struct body_text *expression);

#endif
