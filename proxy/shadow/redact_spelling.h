/*
 * One text in the spellings that addresses, pages and credentials have for it. Results lie in the
 * arena. Any thread.
 */
#ifndef SHADOW_REDACT_SPELLING_H
#define SHADOW_REDACT_SPELLING_H

#include "proxy/core/arena.h"

/* "%41" is "A"; what is no such triple stays. */
struct strview spelling_percent_decoded(struct arena *arena, struct strview text);

/* All but unreserved bytes (RFC 3986 section 2.3); `digits`: the sixteen of hexadecimal. */
struct strview spelling_percent_encoded(struct arena *arena, struct strview text,
                                        const char *digits);

/* In a field of application/x-www-form-urlencoded: "+" is a space, too. */
struct strview spelling_form_decoded(struct arena *arena, struct strview text);

struct strview spelling_html_escaped(struct arena *arena, struct strview text);

/* Up to the first byte that is not of its alphabet (RFC 4648 section 4). */
struct strview spelling_base64_decoded(struct arena *arena, struct strview text);

#endif
