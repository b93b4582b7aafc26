/*
 * The decision about one request, whole and pure: no I/O, no clock, no globals. The same function
 * serves traffic and answers `explain`. Any thread; the scratch belongs to the caller's.
 */
#ifndef ROUTING_PLAN_H
#define ROUTING_PLAN_H

#include "proxy/routing/cutover.h"
#include "proxy/routing/override.h"
#include "proxy/routing/pin.h"
#include "proxy/routing/route_table.h"

enum ambiguous_paths { AMBIGUOUS_PATHS_REFUSE, AMBIGUOUS_PATHS_LEGACY };

/* The parts of a snapshot that decide. Borrowed. */
struct plan_rules {
    const struct route_table *routes;
    const struct module_table *modules;
    const struct identity_source *identity;
    size_t identity_count;
    uint32_t default_backend;
    enum ambiguous_paths ambiguous_paths;
    struct override_rules override;
    const struct pin_keys *pin_keys; /* NULL: nobody is pinned */
};

/* What the request itself does not say. */
struct plan_facts {
    struct ip_address client; /* behind trusted proxies: the forwarded one */
    const uint8_t *random;    /* IDENTITY_RANDOM_BYTES */
    uint64_t now_ms;          /* Unix time, for pins */
};

struct plan {
    const struct route *route;   /* NULL: default */
    const struct module *module; /* NULL: outside modules */
    enum side side;
    enum reason reason;
    bool is_write;
    uint32_t backend;    /* valid when refuse_status is 0 */
    int refuse_status;   /* not 0: answer locally with it (400, 403, …) */
    struct strview path; /* to send: canonical or rewritten; without query */
    bool rewritten;
    struct identity identity;
    bool has_bucket;
    uint32_t bucket;

    /* What the request said about its side, whether or not it came to that; see `reason`. */
    enum override_verdict override;
    enum side override_side; /* unless absent or unknown */
    enum pin_verdict pin;    /* of reads */
    struct pin pin_held;     /* for PIN_GOOD */
    bool shadow;             /* a copy goes to the other side, and the answers are compared */
    uint32_t shadow_backend;
    struct strview shadow_path; /* as `path`, for that side */
};

/* Never fails; what cannot be served has refuse_status. `ret_plan` views the request, the rules and
 * `arena`. */
void plan_request(const struct plan_rules *rules, const struct request_head *request,
                  const struct plan_facts *facts, struct arena *arena,
                  struct match_scratch *scratch, struct plan *ret_plan);

/*
 * May legacy answer a read in the place of extracted, should that fail? Only where the module wants
 * it, without a body, and never when the request chose its side or is held there by a pin: it would
 * get what it did not ask for, or data older than its own.
 */
bool plan_may_fall_back(const struct plan *plan, const struct request_head *request);

/* Turns a plan that may fall back into the one that does. */
void plan_fall_back(struct plan *plan, const struct request_head *request);

enum { PLAN_REASON_BYTES = 64 };

/* "bucket 1873<250000", "stage live", "write_owner legacy", "default", …; terminated. Returns its
 * length. */
size_t plan_reason_format(const struct plan *plan, char buffer[static PLAN_REASON_BYTES]);

#endif
