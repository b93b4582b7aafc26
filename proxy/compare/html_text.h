/* Text and attribute values of HTML. Internal to this folder; pure. */
#ifndef COMPARE_HTML_TEXT_H
#define COMPARE_HTML_TEXT_H

#include "proxy/core/arena.h"

/* Space, tab, line ends, form feed. */
bool html_is_space(char c);

/*
 * With numeric and the commonest named character references resolved; with `collapse`, runs of
 * white space are one space and there is none at the ends. Views `text` when nothing changes.
 */
struct strview html_text_decode(struct arena *arena, struct strview text, bool collapse);

#endif
