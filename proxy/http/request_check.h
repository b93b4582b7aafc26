/*
 * What a request has to be before it is routed, whichever protocol it came by: one strict check
 * between every parser and every serialiser. Pure, any thread.
 */
#ifndef HTTP_REQUEST_CHECK_H
#define HTTP_REQUEST_CHECK_H

#include "proxy/http/limits.h"
#include "proxy/http/message.h"

/* The head as read: what its codec refused, limits, method in the table, authority, Host, target,
 * names and values. */
struct request_verdict request_check(const struct request_head *request,
                                     const struct limits *limits);

/* Is it a question to whoever gets it, and nobody behind (RFC 9110 section 7.6.2)? */
bool request_ends_here(const struct request_head *request);

/* host[:port] of RFC 3986 section 3.2, without userinfo. */
bool authority_is_valid(struct strview authority);

#endif
