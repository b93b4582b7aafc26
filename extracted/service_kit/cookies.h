/*
 * The two cookies that a reply may set: sid of people who are logged in, vsid of everybody else
 * who sees a form. They are read by session.h.
 */
#ifndef SERVICE_KIT_COOKIES_H
#define SERVICE_KIT_COOKIES_H

#include "extracted/service_kit/http_message.h"
#include "extracted/service_kit/token.h"

#define COOKIE_SID_LIFE_S (30 * 24 * 3600)

void cookie_set_sid(const struct http_request *request, struct http_reply *reply,
                    const struct token *sid);
void cookie_forget_sid(const struct http_request *request, struct http_reply *reply);
void cookie_set_vsid(const struct http_request *request, struct http_reply *reply,
                     const struct token *vsid);

#endif
