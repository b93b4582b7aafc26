/* A request made from words of a command line, as a client session would have read it. */
#ifndef CLI_EXPLAIN_REQUEST_H
#define CLI_EXPLAIN_REQUEST_H

#include "proxy/core/fault.h"
#include "proxy/http/message.h"

struct explain_words {
    const char *method;
    const char *url; /* "https://host/path?query", or "/path?query" */
    char **headers;  /* "name: value" */
    size_t header_count;
};

/* False with a fault when the words make no request. Views the words and `arena`. */
bool explain_request_make(const struct explain_words *words, struct arena *arena,
                          struct request_head *ret_request, struct fault *fault);

#endif
