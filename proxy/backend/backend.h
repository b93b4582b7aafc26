/*
 * A backend as configured: a named group of endpoints and how to talk to them. Part of a snapshot:
 * immutable, any thread. What is learned about an endpoint lives in endpoint_state.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "proxy/backend/endpoint_set.h"
#include "proxy/core/strview.h"
#include "proxy/net/tls_client.h"

enum backend_protocol { BACKEND_HTTP1, BACKEND_H2, BACKEND_PROTOCOL_COUNT };

enum balance {
    BALANCE_TWO_CHOICES,
    BALANCE_ROUND_ROBIN,
    BALANCE_LEAST_IN_FLIGHT,
    BALANCE_HASH,
    BALANCE_COUNT
};

/* TIMEOUT_UNSET in a route's timeouts means: the backend's. 0 means no limit. */
enum { TIMEOUT_UNSET = -1 };

struct timeouts {
    int64_t connect_ms;
    int64_t first_byte_ms;
    int64_t idle_ms; /* silence inside an answer */
    int64_t total_ms;
    int64_t keep_alive_ms; /* an unused pooled connection; not settable in a route */
};

/* The counters of one backend; filled by control before it publishes. */
struct backend_metrics {
    uint32_t errors;
    uint32_t first_byte;
    uint32_t total;
};

/* An endpoint as the files say it. */
struct endpoint_name {
    struct strview text;
    struct strview host; /* to be resolved; empty: it is an address */
    struct address address;
    uint16_t port; /* of the host */
    uint32_t weight;
};

enum { BACKEND_ENDPOINTS_MAX = 256 };

/* Requests of our own that say whether an endpoint is well. */
struct backend_health {
    bool enabled;
    struct strview path;
    uint64_t interval_ms;
    uint32_t fall; /* so many failures in a row, */
    uint32_t rise; /* and so many successes */
};

struct backend {
    struct strview name;
    uint32_t index;
    enum backend_protocol protocol;
    enum balance balance;
    bool isolated;
    struct tls_client *tls; /* NULL: in clear */
    const struct endpoint_name *names;
    uint32_t name_count;
    struct breaker *breaker; /* borrowed from the registry */
    /* What the names mean now: owned. Host names have control put another set in its place. */
    _Atomic(struct endpoint_set *) endpoints;
    _Atomic bool resolving; /* some host name has never been answered for, yes or no */
    struct timeouts timeouts;
    struct breaker_limits limits;
    struct backend_health health;
    struct backend_metrics metrics;
};

static inline const struct endpoint_set *backend_endpoints(const struct backend *backend)
{
    return atomic_load_explicit(&backend->endpoints, memory_order_acquire);
}

/* It has no endpoints for the moment: wait for the first answer about its names. */
static inline bool backend_is_resolving(const struct backend *backend)
{
    return backend_endpoints(backend)->count == 0 &&
           atomic_load_explicit(&backend->resolving, memory_order_relaxed);
}

#endif
