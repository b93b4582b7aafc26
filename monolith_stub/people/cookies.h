/*
 * The two cookies: sid of people who are logged in, vsid of everyone else who sees a form.
 */
#ifndef MONOLITH_COOKIES_H
#define MONOLITH_COOKIES_H

#include "monolith_stub/people/token.h"
#include "monolith_stub/reply.h"
#include "monolith_stub/request.h"

/* A cookie's token from the Cookie field (which may be NULL). False: none, or not of that form. */
bool cookie_find(const char *cookies, const char *name, struct token *ret_token);

void cookie_set_sid(const struct request *request, struct reply *reply, const struct token *sid);
void cookie_forget_sid(const struct request *request, struct reply *reply);
void cookie_set_vsid(const struct request *request, struct reply *reply, const struct token *vsid);

#endif
