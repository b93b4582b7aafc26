/*
 * Every endpoint the process has known, keyed by backend name, host name, address and protocol, so
 * that what was learned (health, ejection) survives reloads; and what is shared about each backend.
 * Control owns it and is the only thread that adds; nothing in it is freed before the registry, so
 * workers hold plain pointers.
 */
#ifndef BACKEND_ENDPOINT_REGISTRY_H
#define BACKEND_ENDPOINT_REGISTRY_H

#include "proxy/backend/endpoint_state.h"

struct endpoint_registry;

struct endpoint_registry *endpoint_registry_new(void);
void endpoint_registry_free(struct endpoint_registry *registry);

/* What tells endpoints apart. */
struct endpoint_key {
    struct strview backend_name;
    struct strview host;         /* the name that led to the address; empty: none */
    struct strview address_text; /* says the same as `address` */
    struct address address;
    int protocol; /* enum backend_protocol */
};

/* The state for an endpoint, made when it is new. Borrowed from the registry. */
struct endpoint_state *endpoint_registry_get(struct endpoint_registry *registry,
                                             const struct endpoint_key *key);

/* The same, or NULL when it is new. */
struct endpoint_state *endpoint_registry_find(const struct endpoint_registry *registry,
                                              const struct endpoint_key *key);

/* What is shared about a backend, made when it is new. Borrowed from the registry. */
struct breaker *endpoint_registry_breaker(struct endpoint_registry *registry,
                                          struct strview backend_name);
uint32_t endpoint_registry_breaker_count(const struct endpoint_registry *registry);
const struct breaker *endpoint_registry_breaker_at(const struct endpoint_registry *registry,
                                                   uint32_t id);

/* How many there are: ids are below it. */
uint32_t endpoint_registry_count(const struct endpoint_registry *registry);
struct endpoint_state *endpoint_registry_at(const struct endpoint_registry *registry, uint32_t id);

#endif
