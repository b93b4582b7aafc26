/* Routes that only file order, or nothing at all, tells apart. Pure, any thread. */
#ifndef ROUTING_ROUTE_CONFLICTS_H
#define ROUTING_ROUTE_CONFLICTS_H

#include "proxy/routing/route_table.h"
#include "proxy/routing/rule.h"

/* See route_table_builder_conflicts. */
size_t route_conflicts_find(const struct rule *const *rules, size_t count,
                            struct route_conflict *conflicts, size_t max);

#endif
