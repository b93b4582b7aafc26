/*
 * Every endpoint the process has known, keyed by backend name, address and protocol, so that what
 * was learned (health, ejection) survives reloads. Control owns it and is the only thread that
 * adds; an endpoint_state is never freed before the registry, so workers hold plain pointers.
 */
#ifndef BACKEND_ENDPOINT_REGISTRY_H
#define BACKEND_ENDPOINT_REGISTRY_H

#include "proxy/backend/endpoint_state.h"

struct endpoint_registry;

struct endpoint_registry *endpoint_registry_new(void);
void endpoint_registry_free(struct endpoint_registry *registry);

/* The state for an endpoint, made when it is new. Borrowed from the registry. */
struct endpoint_state *endpoint_registry_get(struct endpoint_registry *registry,
                                             struct strview backend_name,
                                             struct strview address_text,
                                             const struct address *address, int protocol);

/* How many there are: ids are below it. */
uint32_t endpoint_registry_count(const struct endpoint_registry *registry);
struct endpoint_state *endpoint_registry_at(const struct endpoint_registry *registry, uint32_t id);

#endif
