/*
 * Who asks for a page: what the cookies of a request say. The loop's thread.
 */
#ifndef SERVICE_KIT_VISITOR_H
#define SERVICE_KIT_VISITOR_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/token.h"

enum { VISITOR_NAME_BYTES = 64 };

struct visitor {
    int64_t user;                      /* 0: not logged in */
    char username[VISITOR_NAME_BYTES]; /* empty: not known here */
    struct token token; /* what CSRF words are made from: the session, or a visitor's own token;
                         * empty: none yet */
};

/* False: the reply waits for somebody who knows the session, return at once. */
bool visitor_read(struct database *database, const struct http_request *request,
                  struct http_reply *reply, struct visitor *ret_visitor);

#endif
