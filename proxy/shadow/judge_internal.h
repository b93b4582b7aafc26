/* The judge from inside: shared by judge.c (thread, queue, counts) and judge_decide.c (verdicts).
 */
#ifndef SHADOW_JUDGE_INTERNAL_H
#define SHADOW_JUDGE_INTERNAL_H

#include <signal.h>

#include "proxy/shadow/field_table.h"
#include "proxy/shadow/judge.h"
#include "proxy/shadow/shadow_internal.h"

/* So many path templates of a route are told apart. Where paths have words in them that are new
 * each time, each would be alone, and learned about for ever. */
enum { JUDGE_TEMPLATES_OF_ROUTE_MAX = 200 };

/* Both sides are asked again at most so often, all modules together. */
enum { JUDGE_CONFIRM_PER_SECOND = 20, JUDGE_CONFIRM_BURST = 100 };

struct module_summary {
    struct shadow_state *module;
    struct judge_summary now;
    bool recent[JUDGE_RECENT]; /* was it a mismatch? A ring */
    uint32_t next_recent;
};

struct trial;

struct judge {
    pthread_t thread;
    pthread_mutex_t lock; /* for the queue and the summaries */
    pthread_cond_t filled;
    struct shadow_queue queue;
    atomic_bool stopping;
    struct {
        struct module_summary *items;
        size_t count;
        size_t capacity;
    } summaries;

    /* the thread's own */
    struct metrics_shard *metrics;
    _Atomic(const struct difference_store *) store; /* NULL until there is one */
    struct field_table *fields;
    struct field_table *templates; /* known ones; the total of a route's empty one: how many */
    uint64_t key;                  /* of redaction */
    double confirm_credit;
    uint64_t confirm_ms; /* when it was last counted */
    struct trial *trial; /* the room for one; NULL until the first */
    struct arena_pool arenas;
};

static inline const struct difference_store *judge_store(struct judge *judge)
{
    return atomic_load_explicit(&judge->store, memory_order_acquire);
}

/* Compares, counts, and frees the shadow or gives it back to its worker. */
void judge_decide_take(struct judge *judge, struct shadow *shadow);

void judge_count(struct judge *judge, const struct shadow *shadow, enum verdict verdict);

/* Stores the differences of a mismatch that are real. judge_record.c */
void judge_record(struct judge *judge, const struct shadow *shadow, struct strview path_template,
                  const struct difference_list *real, struct arena *arena);

#endif
