/* The parts of building a snapshot. Internal to proxy/config; control thread. */
#ifndef CONFIG_SNAPSHOT_BUILD_H
#define CONFIG_SNAPSHOT_BUILD_H

#include "proxy/config/settings_values.h"
#include "proxy/config/snapshot.h"

/* snapshot_routes.c: compiles all routes; false after a fault. Fills routes and route_infos. */
bool snapshot_build_routes(struct snapshot *snapshot, const struct settings *settings,
                           struct config_report *report);

/* Zeroed room for `count` elements of `size` bytes; NULL for none. */
void *snapshot_array(struct snapshot *snapshot, size_t count, size_t size);

#endif
