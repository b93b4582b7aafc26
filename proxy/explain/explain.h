/*
 * What the proxy does with one request, and why, as JSON: with the same check and the same planner
 * as traffic, so with the reasons of the access log. The files alone serve as well as the running
 * configuration. Any thread.
 */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include <jansson.h>

#include "proxy/config/snapshot.h"
#include "proxy/core/fault.h"

enum { EXPLAIN_HEADERS_MAX = 256 };

/* A request as people write it. Borrowed. */
struct explain_words {
    struct strview method;
    struct strview url;            /* "https://host/path?query", or "/path?query" */
    const struct strview *headers; /* "name: value" */
    size_t header_count;
    struct strview from; /* the client's IP address, without port */
};

/* A new object; NULL with *fault set when the words make no request. */
json_t *explain(const struct snapshot *snapshot, const struct explain_words *words,
                struct fault *fault);

#endif
