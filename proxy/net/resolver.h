/*
 * Host names to addresses, by c-ares on a loop: nothing here waits. One thread.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "proxy/core/fault.h"
#include "proxy/net/address.h"
#include "proxy/net/loop.h"

enum { RESOLVER_ADDRESSES_MAX = 256, RESOLVER_HOST_BYTES = 254 };

struct resolver;

struct resolver_answer {
    const struct ip_address
        *addresses;      /* IPv4 and IPv6, in the order of their numbers, each once */
    uint32_t count;      /* at most RESOLVER_ADDRESSES_MAX, */
    bool more;           /* and these are the first of them */
    uint32_t ttl_s;      /* the least of all records that led there */
    const char *problem; /* NULL: none. A static text */
};

/* Valid during the call, which may come inside resolver_ask. */
typedef void resolver_event(void *owner, const struct resolver_answer *answer);

/* `server`: asked in place of the system's, and in place of its hosts file; or NULL. */
struct resolver *resolver_new(struct loop *loop, const struct address *server, struct fault *fault);

/* Questions that are open are never answered. NULL is allowed. */
void resolver_free(struct resolver *resolver);

/* `host` is borrowed for the call. Exactly one event, unless the resolver is freed before. */
void resolver_ask(struct resolver *resolver, const char *host, resolver_event *on_answer,
                  void *owner);

#endif
