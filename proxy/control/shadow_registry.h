/* What is learned about the shadows of each module, for the life of the process. Control thread. */
#ifndef CONTROL_SHADOW_REGISTRY_H
#define CONTROL_SHADOW_REGISTRY_H

#include "proxy/shadow/shadow_policy.h"

struct shadow_registry;

struct shadow_registry *shadow_registry_new(void);
void shadow_registry_free(struct shadow_registry *registry); /* NULL is allowed */

/* The module's, made when it is new. Borrowed from the registry. */
struct shadow_state *shadow_registry_get(struct shadow_registry *registry, struct strview module);

/* Copies that are under way, of all modules. */
uint32_t shadow_registry_in_flight(const struct shadow_registry *registry);

#endif
