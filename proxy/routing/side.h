/* The small closed vocabularies of a migration. Pure, any thread. */
#ifndef ROUTING_SIDE_H
#define ROUTING_SIDE_H

#include "proxy/core/strview.h"

enum side {
    SIDE_NONE, /* the request belongs to no module */
    SIDE_LEGACY,
    SIDE_EXTRACTED,
    SIDE_COUNT
};

enum stage { STAGE_LEGACY, STAGE_SHADOW, STAGE_RAMP, STAGE_LIVE, STAGE_RETIRED, STAGE_COUNT };

enum write_owner {
    WRITE_OWNER_LEGACY,
    WRITE_OWNER_EXTRACTED,
    WRITE_OWNER_FOLLOW,
    WRITE_OWNER_COUNT
};

/* "none", "legacy", "extracted" */
struct strview side_name(enum side side);
struct strview stage_name(enum stage stage);
struct strview write_owner_name(enum write_owner owner);

/* False when the text is none of the names. */
bool stage_parse(struct strview text, enum stage *ret_stage);
bool write_owner_parse(struct strview text, enum write_owner *ret_owner);

/*
 * Why a request went where it went: one closed list for the access log, for metrics and for
 * `explain`.
 */
enum reason {
    REASON_DEFAULT,     /* no route took it */
    REASON_ROUTE,       /* a route outside modules */
    REASON_DENY,        /* refused by a route's deny or allow */
    REASON_AMBIGUOUS,   /* ambiguous path, sent to the default backend */
    REASON_STAGE,       /* the stage alone decides: legacy, shadow, live */
    REASON_RETIRED,     /* stage retired */
    REASON_BUCKET,      /* stage ramp: bucket against percent */
    REASON_NO_IDENTITY, /* stage ramp, nobody to hash: legacy */
    REASON_WRITE_OWNER, /* a write, by write_owner */
    REASON_ABORT,       /* the latch */
    REASON_PIN,
    REASON_OVERRIDE,
    REASON_FREEZE,
    REASON_FALLBACK,
    REASON_REJECTED, /* refused before routing: malformed or over a limit */
    REASON_REDIRECT, /* sent to https before routing */
    REASON_COUNT
};

struct strview reason_name(enum reason reason);

#endif
