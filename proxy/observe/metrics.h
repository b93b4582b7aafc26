/*
 * Counters and histograms. A registry (control's) gives each series a block of consecutive ids that
 * stay for the life of the process; each worker adds into a shard of its own, plain additions on
 * memory that nobody else writes; control sums the shards when somebody asks.
 *
 * A block holds all the combinations of a family's enumerated labels (method and code; reason;
 * fault; histogram buckets), so that counting is one addition at `first + offset`.
 */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "proxy/core/strview.h"
#include "proxy/http/method.h"

enum metric_family {
    METRIC_REQUESTS,         /* strangler_http_requests_total */
    METRIC_DECISIONS,        /* strangler_decisions_total */
    METRIC_REQUEST_DURATION, /* strangler_http_request_duration_seconds */
    METRIC_BACKEND_DURATION, /* strangler_backend_duration_seconds */
    METRIC_BACKEND_ERRORS,   /* strangler_backend_errors_total */
    METRIC_CLIENT_FAULTS,    /* strangler_client_faults_total */
    METRIC_SHADOW_SAMPLED,   /* strangler_shadow_sampled_total */
    METRIC_SHADOW_SENT,      /* strangler_shadow_sent_total */
    METRIC_SHADOW_DROPPED,   /* strangler_shadow_dropped_total */
    METRIC_SHADOW_DURATION,  /* strangler_shadow_duration_seconds */
    METRIC_COMPARE,          /* strangler_compare_total */
    METRIC_PAIR_DELTA,       /* strangler_pair_latency_delta_seconds */
    METRIC_FAMILY_COUNT
};

/* Names of the enumerated labels that live in folders below this one. Static arrays. */
struct metric_names {
    const struct strview *reasons;
    uint32_t reason_count;
    const struct strview *faults; /* of backends */
    uint32_t fault_count;
    const struct strview *client_faults;
    uint32_t client_fault_count;
    const struct strview *shadow_drops;
    uint32_t shadow_drop_count;
    const struct strview *verdicts;
    uint32_t verdict_count;
};

struct metrics_registry;

struct metrics_registry *metrics_registry_new(const struct metric_names *names);
void metrics_registry_free(struct metrics_registry *registry);

/*
 * The first id of the block of (family, labels): the same each time it is asked. `labels` is
 * Prometheus text without braces, values escaped: `module="users",side="legacy"`. Control thread.
 */
uint32_t metrics_registry_block(struct metrics_registry *registry, enum metric_family family,
                                struct strview labels);

/* --- shards -------------------------------------------------------------------------------- */

enum { METRICS_CHUNK = 512, METRICS_PAGE = 512, METRICS_PAGES = 512 };

struct metrics_page;

/* What is spoken on a client's connection: the `protocol` label of strangler_connections. */
enum connection_protocol {
    CONNECTION_UNKNOWN, /* nothing yet: in the handshake, or silent */
    CONNECTION_HTTP1,
    CONNECTION_H2,
    CONNECTION_H2C,
    CONNECTION_PROTOCOLS
};

/* "http/1.1"; "unknown" for none yet. */
struct strview connection_protocol_name(enum connection_protocol protocol);

/* Gauges of one worker. */
struct metrics_gauges {
    _Atomic int64_t live_exchanges;
    _Atomic int64_t client_connections[CONNECTION_PROTOCOLS];
};

struct metrics_shard {
    struct metrics_gauges gauges;
    _Atomic(struct metrics_page *) pages[METRICS_PAGES];
};

struct metrics_shard *metrics_shard_new(void);
void metrics_shard_free(struct metrics_shard *shard);

/* Adds to one counter. Only the shard's own thread. */
void metrics_add(struct metrics_shard *shard, uint32_t id, uint64_t amount);

/* Any thread; 0 when nothing was added yet. */
uint64_t metrics_read(const struct metrics_shard *shard, uint32_t id);

/* Offsets in the block of METRIC_REQUESTS. Unknown codes count under their class. */
uint32_t metrics_request_offset(enum http_method method, int status);

/* One observation in a histogram block. */
void metrics_observe(struct metrics_shard *shard, uint32_t first, uint64_t duration_us);

/* The same in the block of METRIC_PAIR_DELTA, where a difference may be negative. */
void metrics_observe_delta(struct metrics_shard *shard, uint32_t first, int64_t delta_us);

/* A gauge moved by its own worker; others may read. */
static inline void metrics_gauge_add(_Atomic int64_t *gauge, int64_t amount)
{
    atomic_store_explicit(gauge, atomic_load_explicit(gauge, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* --- for metrics_text ---------------------------------------------------------------------- */

struct metrics_block {
    enum metric_family family;
    uint32_t first;
    struct strview labels;
};

uint32_t metrics_registry_count(const struct metrics_registry *registry);
const struct metrics_block *metrics_registry_at(const struct metrics_registry *registry,
                                                uint32_t index);
const struct metric_names *metrics_registry_names(const struct metrics_registry *registry);
uint32_t metrics_block_size(const struct metric_names *names, enum metric_family family);

enum { METRICS_BUCKETS = 15, METRICS_CODES = 68 };

/* Upper bound of a bucket in microseconds; the last has none. */
uint64_t metrics_bucket_us(uint32_t bucket);

enum { METRICS_DELTA_BUCKETS = 18 };

/* The same for METRIC_PAIR_DELTA. */
int64_t metrics_delta_bucket_us(uint32_t bucket);

/* "200", or "5xx" for codes outside the table. */
struct strview metrics_code_name(uint32_t code_index, char buffer[static 4]);

/* Does the code say that the server failed (5xx)? */
bool metrics_code_is_error(uint32_t code_index);

#endif
