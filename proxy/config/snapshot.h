/*
 * The compiled configuration: immutable, reference-counted, swapped whole. Control builds and
 * publishes it; workers read it without a lock. Nothing learned at run time lives here.
 */
#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

#include "proxy/backend/backend.h"
#include "proxy/backend/endpoint_registry.h"
#include "proxy/core/arena.h"
#include "proxy/core/fault.h"
#include "proxy/http/forwarding.h"
#include "proxy/http/limits.h"
#include "proxy/net/tls_context.h"
#include "proxy/observe/metrics.h"
#include "proxy/routing/plan.h"
#include "proxy/shadow/shadow_policy.h"

struct settings;
struct config_report;

/* The counters of one (module, route, side); filled by control before it publishes. */
struct route_metrics {
    uint32_t requests;
    uint32_t duration;
    uint32_t decisions;
};

struct route_info {
    struct strview name;
    struct strview module; /* empty outside modules */
    struct route_metrics metrics[SIDE_COUNT];
};

/* Where a route stands, and what it is, for people; not needed to serve. */
struct route_place {
    struct strview file;
    uint32_t line;
    struct strview takes;   /* "prefix /u, GET HEAD, regex ^/u/[0-9]+$" */
    struct strview backend; /* outside modules; else empty */
    int deny_status;        /* 0: it is not refused */
};

struct listener_config {
    struct strview name;
    struct strview address_text;
    struct address address;
    struct tls_context *tls; /* NULL: cleartext */
    uint16_t redirect_port;  /* of the listener with TLS to which requests are sent; 0: none */
    uint32_t hsts_s;         /* Strict-Transport-Security; 0: none */
};

struct access_log_config {
    bool enabled;
    bool combined;       /* else JSON */
    struct strview path; /* "-": standard output */
};

struct snapshot {
    struct snapshot *base; /* not NULL: a change of modules only; all else is the base's */
    struct arena arena;    /* owns every string and array below, unless there is a base */
    _Atomic uint32_t references;
    uint64_t generation;

    struct plan_rules rules; /* routes and modules below, as the planner takes them */
    struct route_table *routes;
    struct module_table *modules;
    struct backend *backends;
    uint32_t backend_count;

    struct route_info *route_infos; /* by struct route's index */
    struct route_place *route_places;
    uint32_t route_count;
    struct route_info unrouted;                   /* requests that no route took */
    struct route_info rejected;                   /* requests refused before routing */
    uint32_t client_faults[CONNECTION_PROTOCOLS]; /* the first of the counters of each */

    struct listener_config *listeners;
    uint32_t listener_count;
    bool override_token_unread; /* there is a file of it, which could not be used (offline) */
    struct cidr *trusted_proxies;
    size_t trusted_proxy_count;
    struct shadow_policy *shadows; /* by module */
    uint32_t forward;              /* set of enum forward_field */
    struct limits limits;
    struct access_log_config access_log;
    struct address resolver; /* whom to ask for host names; length 0: the system's */

    /* Fixed at start: a reload that changes them is reported and waits for a restart. */
    uint32_t workers;             /* 0: one a core */
    struct strview admin_address; /* empty: none */
    struct strview state_dir;
};

/*
 * Compiles settings that settings_check found good. What only compiling can find (regexes,
 * conflicts, certificate files) goes into `report`; NULL when there was any error. One reference.
 * Control thread.
 */
struct snapshot *snapshot_build(const struct settings *settings, struct endpoint_registry *registry,
                                uint64_t generation, struct config_report *report);

/*
 * The same without certificates: enough to plan requests where the keys cannot be read. Listeners
 * with certificates have no TLS context then, and a token that cannot be read is none.
 */
struct snapshot *snapshot_build_offline(const struct settings *settings,
                                        struct endpoint_registry *registry,
                                        struct config_report *report);
/*
 * Warns of what a reload with these settings would do to people that are served by `running`:
 * modules that are gone, or have another name or cohort. Control thread.
 */
void settings_report_changes(const struct settings *settings, const struct snapshot *running,
                             struct config_report *report);

/* Does any module pin? */
bool snapshot_needs_pin_keys(const struct snapshot *snapshot);

/* Before anybody else sees it: the keys in `state_dir`, made there when `may_make` and there are
 * none. Without keys nobody is pinned. */
bool snapshot_read_pin_keys(struct snapshot *snapshot, const char *state_dir, bool may_make,
                            struct fault *fault);

/*
 * The same configuration with other modules (the same names in the same order): what a live change
 * builds. Takes `modules`, references `base`. One reference.
 */
struct snapshot *snapshot_with_modules_take(struct snapshot *base, struct module_table *modules,
                                            uint64_t generation);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */

#endif
