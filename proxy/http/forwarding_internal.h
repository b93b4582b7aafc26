/*
 * A request on its way to a backend, shared by forwarding.c (the client's fields) and
 * forwarding_ours.c (the proxy's own). Lives on the stack of forwarding_request. One thread.
 */
#ifndef HTTP_FORWARDING_INTERNAL_H
#define HTTP_FORWARDING_INTERNAL_H

#include "proxy/http/forwarding.h"

struct forwarding {
    const struct request_head *request;
    const struct forwarding_facts *facts;
    struct arena *arena;
    struct headers *headers; /* for the backend */
};

/* Does a trace begin here, because the client's fields name none? */
bool forwarding_begins_trace(const struct forwarding *f);

void forwarding_add_ours(struct forwarding *f, struct forwarding_result *ret_result);

#endif
