/*
 * The table of every path the forum knows. Constants.
 */
#ifndef MONOLITH_SITE_ROUTES_H
#define MONOLITH_SITE_ROUTES_H

#include "monolith_stub/route.h"

extern const struct route site_routes[];
extern const size_t site_route_count;

#endif
