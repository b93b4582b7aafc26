/*
 * How the sides of each module did in the last seconds: requests, errors, latencies. Control takes
 * a sample of the workers' counters now and then; a window is the difference between now and the
 * oldest sample that is kept. Control thread.
 */
#ifndef CONTROL_MODULE_STATS_H
#define CONTROL_MODULE_STATS_H

#include "proxy/config/snapshot.h"
#include "proxy/net/loop.h"
#include "proxy/observe/metrics.h"

enum { MODULE_STATS_SAMPLES = 6, MODULE_STATS_INTERVAL_MS = 3000 };

/* What was counted until a moment, of one side. */
struct side_counts {
    uint64_t errors; /* answers 5xx */
    uint64_t buckets[METRICS_BUCKETS];
};

struct module_counts {
    uint64_t taken_ms; /* loop clock */
    struct side_counts sides[SIDE_COUNT];
};

struct module_samples {
    struct strview name; /* owned */
    struct module_counts now;
    struct module_counts samples[MODULE_STATS_SAMPLES]; /* a ring */
    uint32_t taken;                                     /* ever */
    bool is_current;                                    /* the module is in the snapshot */
};

struct module_stats {
    struct loop *loop;
    struct metrics_shard *const *shards;
    uint32_t shard_count;
    struct snapshot *const *current; /* where the publisher keeps it */
    struct deadline again;
    struct module_samples *items;
    size_t count;
    size_t capacity;
};

/* One side over the window. */
struct side_window {
    uint64_t requests;
    uint64_t errors;
    double seconds;
    double p50_ms; /* by interpolation inside a bucket; 0 without requests */
    double p90_ms;
    double p99_ms;
};

/* Begins to take samples; the members up to `current` are the caller's, and outlive it. */
void module_stats_start(struct module_stats *stats);
void module_stats_stop(struct module_stats *stats);

/* Brings all windows up to now. */
void module_stats_refresh(struct module_stats *stats);

/* How long the window is by now. */
double module_stats_seconds(const struct module_stats *stats);

struct side_window module_stats_window(const struct module_stats *stats, struct strview module,
                                       enum side side);

/* The value below which a share of the observations lies, in ms. Pure. */
double histogram_quantile_ms(const uint64_t buckets[static METRICS_BUCKETS], double share);

#endif
