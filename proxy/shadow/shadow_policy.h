/*
 * How one module's requests are copied to its other side, and how the answers are compared. Part of
 * a snapshot: const for all threads, but for the state, which outlives snapshots.
 */
#ifndef SHADOW_SHADOW_POLICY_H
#define SHADOW_SHADOW_POLICY_H

#include <stdatomic.h>

#include "proxy/compare/comparison.h"
#include "proxy/routing/side.h"
#include "proxy/shadow/redact.h"
#include "proxy/shadow/shadow_rest.h"

/* Why a sampled request was not copied: the `reason` label. */
enum shadow_drop {
    SHADOW_DROP_QUEUE_FULL,   /* max_inflight */
    SHADOW_DROP_MEMORY,       /* the budget of all shadows */
    SHADOW_DROP_BODY_LIMIT,   /* a body larger than max_body, see shadow_rest.h for answers */
    SHADOW_DROP_DEADLINE,     /* not sent within the time limit */
    SHADOW_DROP_BACKEND_DOWN, /* no endpoint that can be reached, or a side that rests */
    SHADOW_DROP_UNSAFE,       /* a write, without the two switches of a sandbox */
    SHADOW_DROP_UPGRADE,      /* a tunnel */
    SHADOW_DROP_CLIENT_GONE,  /* the client left before its request was whole */
    SHADOW_DROP_SHED,         /* the process is stopping */
    SHADOW_DROP_COUNT
};

/* The result of comparing the two answers: the `verdict` label. */
enum verdict {
    VERDICT_MATCH,
    VERDICT_MISMATCH,
    VERDICT_RACE,     /* asked again, both sides agree */
    VERDICT_NOISE,    /* the first side differs from itself in the same field */
    VERDICT_LEARNING, /* too few baselines to tell noise */
    VERDICT_ACCEPTED, /* somebody said that it is wanted */
    VERDICT_NOT_COMPARABLE,
    VERDICT_ERROR, /* one side gave no answer */
    VERDICT_COUNT
};

/* "queue_full", …; "match", … */
extern const struct strview shadow_drop_names[SHADOW_DROP_COUNT];
extern const struct strview verdict_names[VERDICT_COUNT];

/* What is learned about a module's shadows. Owned by control, for the life of the process; counts
 * of all workers. */
struct shadow_state {
    struct strview module;
    _Atomic uint32_t in_flight; /* until they are judged */
    struct shadow_rest rests[SIDE_COUNT];
    /* Answers that were the same to the byte, until the compare thread's summary takes them over.
     */
    _Atomic uint64_t matches;
    _Atomic uint64_t matched_unix_ms; /* the last of them; 0: none yet */
};

/* Any thread. */
static inline void shadow_state_matched(struct shadow_state *state, uint64_t unix_ms)
{
    atomic_store_explicit(&state->matched_unix_ms, unix_ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&state->matches, 1, memory_order_relaxed);
}

/* First ids of the counters; filled by control before it publishes. */
struct shadow_metrics {
    uint32_t sampled;
    uint32_t sent;
    uint32_t dropped;  /* by enum shadow_drop */
    uint32_t verdicts; /* by enum verdict */
    uint32_t delta;    /* histogram of the second answer's time less the first's */
    uint32_t duration; /* of the copies */
};

struct shadow_policy {
    struct strview module;
    struct shadow_state *state;
    uint32_t methods; /* bit set of enum http_method that are copied */
    bool writes;      /* the module's sandbox: writes are copied, too */
    size_t max_body;  /* bytes kept of a request's and of each answer's body */
    uint32_t max_inflight;
    uint32_t pipeline; /* so many copies may be on one connection of HTTP/1.1 at once */
    uint64_t timeout_ms;
    uint32_t baseline_threshold; /* in buckets, see routing/bucket.h */
    struct compare_rules rules;
    struct redact_rules redact; /* what is never stored */
    struct shadow_metrics metrics;
};

#endif
