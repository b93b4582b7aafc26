/*
 * What a request asks: no HTTP library is known here. Everything is borrowed for the length of
 * the exchange. Filled by the web server; the route and the visitor by the site.
 */
#ifndef MONOLITH_REQUEST_H
#define MONOLITH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/people/visitor.h"
#include "monolith_stub/text.h"

enum { REQUEST_PARAMETERS = 4, REQUEST_BODY_LIMIT = 64 * 1024 };

struct route;

struct request {
    const char *method;
    struct text_view path;                           /* raw: not decoded, without the query */
    struct text_view parameters[REQUEST_PARAMETERS]; /* the {…} of its route, raw */
    struct text_view query;                          /* raw: a=b&c=d */
    struct text_view body;
    bool body_is_too_large;   /* then body is empty */
    const char *content_type; /* fields: NULL if there is none */
    const char *cookie;
    const char *host;
    const char *origin;
    const char *forwarded_proto;
    int64_t began_ms; /* steady clock */
    const struct route *route;
    struct visitor visitor; /* who asks, if the route wants to know */
    bool misses_thread;     /* it is about one that may be new on the other side */
};

#endif
