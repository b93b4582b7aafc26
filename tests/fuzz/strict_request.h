/*
 * Reads HTTP/1.1 requests as strictly as the RFCs allow: what the proxy sends has to pass, whatever
 * it was sent. For fuzzers; every fault aborts.
 */
#ifndef TESTS_FUZZ_STRICT_REQUEST_H
#define TESTS_FUZZ_STRICT_REQUEST_H

#include "proxy/core/strview.h"

enum strict_kind { STRICT_PLAIN, STRICT_HEAD, STRICT_WEBSOCKET };

/* The length of the first request in `bytes`, which may have more behind it; 0 when it is not
 * complete. What is there has to be right so far. */
size_t strict_request_length(struct strview bytes, enum strict_kind *ret_kind);

#endif
