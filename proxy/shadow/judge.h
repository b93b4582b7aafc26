/*
 * The compare thread: takes finished shadows from a bounded queue, compares their answers, knows
 * what is noise, and counts verdicts. One thread with a low priority for all workers, so that no
 * request ever waits for a comparison.
 */
#ifndef SHADOW_JUDGE_H
#define SHADOW_JUDGE_H

#include "proxy/core/fault.h"
#include "proxy/observe/metrics.h"
#include "proxy/shadow/difference_store.h"
#include "proxy/shadow/shadow_policy.h"
#include "proxy/shadow/shadow_queue.h"

struct judge;

/* Starts the thread. `metrics` is a shard of its own, borrowed. */
struct judge *judge_start(struct metrics_shard *metrics);

/* Where mismatches go from now on; borrowed, and not taken back. Any thread. */
void judge_set_store(struct judge *judge, const struct difference_store *store);

/*
 * Takes the shadows, which come back by their worker's inbox or are freed. All or none: what stays
 * in `shadows` is not taken, because there are too many. Any thread.
 */
void judge_submit_take(struct judge *judge, struct shadow_queue *shadows);

/* Ends the thread and frees what is in the queue. What is submitted later is not taken. */
void judge_stop(struct judge *judge);

/* After judge_stop, when nobody can submit any more. */
void judge_free(struct judge *judge);

/* How a module has done lately, for `status`. Any thread. */
struct judge_summary {
    uint64_t compared; /* match + mismatch + … since the start */
    uint64_t mismatched;
    uint64_t recent_compared; /* of the last JUDGE_RECENT verdicts of the module */
    uint64_t recent_mismatched;
    uint64_t last_unix_ms; /* of the last verdict; 0: none */
    uint64_t last_mismatch_unix_ms;
};

enum { JUDGE_RECENT = 1000 };

void judge_summary(struct judge *judge, struct shadow_state *module,
                   struct judge_summary *ret_summary);

#endif
