/* Does one rule take everything that another would, so that this one is never used? Pure, any
 * thread. */
#ifndef ROUTING_ROUTE_COVER_H
#define ROUTING_ROUTE_COVER_H

#include "proxy/routing/rule.h"

/* False also where it cannot be told from the conditions alone. */
bool rule_covers(const struct rule *rule, const struct rule *other);

#endif
