/*
 * What people may write into the forum's fields. Each check takes valid UTF-8 and returns NULL if
 * the value is fine, else a sentence that says what is wanted. Pure; any thread.
 */
#ifndef MONOLITH_FIELD_CHECK_H
#define MONOLITH_FIELD_CHECK_H

#include "monolith_stub/text.h"

enum { SEARCH_TERM_LIMIT = 16 };

const char *check_username(struct text_view value);
const char *check_password(struct text_view value);
const char *check_name(struct text_view value);
const char *check_bio(struct text_view value);
const char *check_title(struct text_view value);
const char *check_text(struct text_view value);
const char *check_search(struct text_view value);

#endif
