/*
 * From what somebody typed to what FTS5 takes. Pure; any thread.
 */
#ifndef MONOLITH_SEARCH_H
#define MONOLITH_SEARCH_H

#include "monolith_stub/text.h"

enum { SEARCH_WORD_LIMIT = 16, SEARCH_EXPRESSION_BYTES = 4096 };

/* Every word has to be there, in any order; nothing in them has a meaning to FTS5. Words past
 * the limit are left out. */
void search_write_expression(struct text *out, struct text_view words);

#endif
