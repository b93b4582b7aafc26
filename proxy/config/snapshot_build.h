/* The parts of building a snapshot. Internal to proxy/config; control thread. */
#ifndef CONFIG_SNAPSHOT_BUILD_H
#define CONFIG_SNAPSHOT_BUILD_H

#include "proxy/config/settings_values.h"
#include "proxy/config/snapshot.h"

/* snapshot_routes.c: compiles all routes; false after a fault. Fills routes and route_infos. */
bool snapshot_build_routes(struct snapshot *snapshot, const struct settings *settings,
                           struct config_report *report);

/* The same without its end: the compiled routes, or NULL after a fault. The caller frees them. */
struct route_table_builder *snapshot_compile_routes(struct snapshot *snapshot,
                                                    const struct settings *settings,
                                                    struct config_report *report);

/* snapshot_shadow.c: how each module copies and compares; reports places that are misspelt. */
void snapshot_build_shadows(struct snapshot *snapshot, const struct settings *settings,
                            struct config_report *report);

/* snapshot_places.c: what people want to know about each route. */
void snapshot_build_places(struct snapshot *snapshot, const struct settings *settings);

/* snapshot_backends.c: all of the backends but their endpoints; faults are reported. Without
 * certificates they have no TLS. */
void snapshot_build_backends(struct snapshot *snapshot, const struct settings *settings,
                             bool with_certificates, struct config_report *report);

/* Gives them their endpoints. Cannot fail: nothing of a bad reload is left in the registry. */
void snapshot_add_endpoints(struct snapshot *snapshot, const struct settings *settings,
                            struct endpoint_registry *registry);

/*
 * For settings that are not good already: reports what only compiling finds (regexes, conflicts,
 * certificates) all the same, so that one run tells everything.
 */
void snapshot_report_faults(const struct settings *settings, struct config_report *report);

/*
 * snapshot_secrets.c: the token of overrides; empty when there is none, or it cannot be used, which
 * is a fault in the report, if there is one.
 */
struct strview snapshot_read_override_token(struct snapshot *snapshot,
                                            const struct text_setting *file,
                                            struct config_report *report);

/* Zeroed room for `count` elements of `size` bytes; NULL for none. */
void *snapshot_array(struct snapshot *snapshot, size_t count, size_t size);

/* A copy that lives as long as the snapshot. */
struct strview snapshot_keep(struct snapshot *snapshot, struct strview text);

/* Reports a file that cannot even be read, which is the plainer cause; else false. */
bool snapshot_fault_unreadable(const struct text_setting *path, struct config_report *report);

#endif
