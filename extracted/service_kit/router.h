/*
 * The paths of a service. The API's rules: letter case does not matter, one slash at the end is
 * allowed, and nothing is decoded or normalised before matching. Pure; the loop's thread.
 */
#ifndef SERVICE_KIT_ROUTER_H
#define SERVICE_KIT_ROUTER_H

#include "extracted/service_kit/http_message.h"

struct database;

typedef void http_answer(struct database *database, const struct http_request *request,
                         struct http_reply *reply);

struct http_route {
    const char *method;  /* GET stands for HEAD too */
    const char *pattern; /* lower case; {} is one segment, not empty */
    http_answer *answer; /* has to make the reply complete */
    size_t body_limit;   /* the longest request body, in bytes; 0: a body is read and dropped */
};

struct router {
    const struct http_route *routes;
    size_t count;
};

/* Sets method, path and query from the pseudo-header fields; keeps the views. */
void router_read_target(struct http_request *request, struct http_view method,
                        struct http_view path_and_query);

/* The route that takes the request, its parameters set; NULL if none does. */
const struct http_route *router_find(const struct router *router, struct http_request *request);

/* The reply if no route takes the request: 501 for a method nobody knows, 404 for an unknown path,
 * 204 for OPTIONS and 405 for the rest, these with the path's methods in `allow`. */
void router_refuse(const struct router *router, struct http_request *request,
                   struct http_reply *reply);

#endif
