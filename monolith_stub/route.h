/*
 * From a method and a path to the function that answers. The rules are this forum's own: letter
 * case does not matter, one trailing slash is allowed, nothing is decoded or normalised, so that
 * `//api`, `/api/./users` and `/%61pi` are no paths of ours. Pure; any thread.
 */
#ifndef MONOLITH_ROUTE_H
#define MONOLITH_ROUTE_H

#include "monolith_stub/reply.h"
#include "monolith_stub/store_pool.h"

typedef void route_answer(struct store_pool *pool, const struct request *request,
                          struct reply *reply);

/* GET stands for HEAD too. A pattern is a path in lower case; {} takes one segment. */
struct route {
    const char *method;
    const char *pattern;
    route_answer *answer;
};

/* Whether the request's path fits; if so its parameters are set. */
bool route_match(const char *pattern, struct request *request);

/* Fills the reply: by the route that takes the request; else by OPTIONS on a known path (204),
 * another method on it (405), a method we do not know (501), an unknown path (404). */
void route_table_answer(const struct route *routes, size_t count, struct store_pool *pool,
                        struct request *request, struct reply *reply);

#endif
