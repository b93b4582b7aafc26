/*
 * What a service says to the other applications and to those who watch it: feeds, ownership,
 * metrics. The loop's thread.
 */
#ifndef SERVICE_KIT_FEED_ROUTES_H
#define SERVICE_KIT_FEED_ROUTES_H

#include "extracted/service_kit/router.h"

enum { FEED_ROUTES = 6 };

extern const struct http_route feed_routes[FEED_ROUTES];

#endif
