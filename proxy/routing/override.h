/*
 * A request that asks for a side: by the field x-strangler-side, or else by a cookie whose name is
 * configured. Who may: clients from some addresses, and whoever knows the token. Pure, any thread.
 */
#ifndef ROUTING_OVERRIDE_H
#define ROUTING_OVERRIDE_H

#include "proxy/http/message.h"
#include "proxy/net/address.h"
#include "proxy/routing/side.h"

struct override_rules {
    const struct cidr *clients; /* may always */
    size_t client_count;
    struct strview token;  /* in x-strangler-token; empty: there is none */
    struct strview cookie; /* its name; empty: only the field counts */
};

enum override_verdict {
    OVERRIDE_ABSENT,
    OVERRIDE_UNKNOWN,     /* neither "legacy" nor "extracted" */
    OVERRIDE_NOT_ALLOWED, /* from somewhere else, and without the token */
    OVERRIDE_GOOD
};

/* *ret_side is set for OVERRIDE_GOOD and OVERRIDE_NOT_ALLOWED. `client` is who asks, seen through
 * trusted proxies. */
enum override_verdict override_of_request(const struct override_rules *rules,
                                          const struct headers *headers,
                                          const struct ip_address *client, enum side *ret_side);

#endif
