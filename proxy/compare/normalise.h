/*
 * What is new in every answer by design and therefore no difference: tokens against forged forms,
 * nonces, session ids in addresses. Pure.
 */
#ifndef COMPARE_NORMALISE_H
#define COMPARE_NORMALISE_H

#include "proxy/compare/html_tokens.h"

/* Without session ids (";jsessionid=…", "?sid=…"); views `url` when there is none. */
struct strview normalise_url(struct arena *arena, struct strview url);

/* Replaces such values in a tag's attributes. */
void normalise_token(struct arena *arena, struct html_token *token);

#endif
