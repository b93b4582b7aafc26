#include "proxy/shadow/judge.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/shadow/judge_internal.h"

/* More than the budget of all shadows has room for: `max_inflight` or `memory` are reached first.
 */
enum { QUEUE_MAX = 8192, THREAD_NICENESS = 10, CHUNKS_KEPT = 16 };

/* --- the queue ------------------------------------------------------------------------------- */

/* All there are; none when the thread is to end. */
static struct shadow_queue take_all(struct judge *judge)
{
    struct shadow_queue taken = {.count = 0};
    pthread_mutex_lock(&judge->lock);
    while (judge->queue.first == NULL && !judge->stopping)
        pthread_cond_wait(&judge->filled, &judge->lock);
    if (!judge->stopping)
        shadow_queue_append_all_take(&taken, &judge->queue);
    pthread_mutex_unlock(&judge->lock);
    return taken;
}

void judge_submit_take(struct judge *judge, struct shadow_queue *shadows)
{
    pthread_mutex_lock(&judge->lock);
    if (!judge->stopping && judge->queue.count + shadows->count <= QUEUE_MAX) {
        bool was_empty = judge->queue.first == NULL;
        shadow_queue_append_all_take(&judge->queue, shadows);
        if (was_empty)
            pthread_cond_signal(&judge->filled);
    }
    pthread_mutex_unlock(&judge->lock);
}

static void free_all(struct shadow_queue *shadows)
{
    struct shadow *shadow;
    while ((shadow = shadow_queue_take_first(shadows)) != NULL)
        shadow_free(shadow);
}

static void *run_judge(void *argument)
{
    struct judge *judge = argument;
    struct shadow_queue shadows;
    /* Of this thread alone, on Linux. Who cannot be nice competes: that is no fault. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), THREAD_NICENESS);
    while ((shadows = take_all(judge)).first != NULL) {
        while (shadows.first != NULL && !judge->stopping)
            judge_decide_take(judge, shadow_queue_take_first(&shadows));
        free_all(&shadows);
    }
    return NULL;
}

/* --- summaries ------------------------------------------------------------------------------- */

/* Both threads; under the lock. */
static struct module_summary *summary_of(struct judge *judge, struct shadow_state *module)
{
    for (size_t i = 0; i < judge->summaries.count; i++) {
        if (judge->summaries.items[i].module == module)
            return &judge->summaries.items[i];
    }
    struct module_summary *summary = ARRAY_PUSH(&judge->summaries);
    summary->module = module;
    return summary;
}

static void count_recent(struct module_summary *summary, bool mismatch)
{
    bool *place = &summary->recent[summary->next_recent];
    summary->next_recent = (summary->next_recent + 1) % JUDGE_RECENT;
    struct judge_summary *now = &summary->now;
    if (now->recent_compared == JUDGE_RECENT)
        now->recent_mismatched -= *place ? 1 : 0;
    else
        now->recent_compared++;
    *place = mismatch;
    now->recent_mismatched += mismatch ? 1 : 0;
}

/* What workers have seen to be the same came before what is counted now. */
static void count_matches(struct module_summary *summary)
{
    struct shadow_state *module = summary->module;
    uint64_t matches = atomic_exchange_explicit(&module->matches, 0, memory_order_relaxed);
    uint64_t last_ms = atomic_load_explicit(&module->matched_unix_ms, memory_order_relaxed);
    summary->now.compared += matches;
    if (last_ms > summary->now.last_unix_ms)
        summary->now.last_unix_ms = last_ms;
    for (uint64_t i = 0; i < matches && i < JUDGE_RECENT; i++)
        count_recent(summary, false);
}

static bool says_something(enum verdict verdict)
{
    return verdict != VERDICT_ERROR && verdict != VERDICT_NOT_COMPARABLE;
}

void judge_count(struct judge *judge, const struct shadow *shadow, enum verdict verdict)
{
    metrics_add(judge->metrics, shadow->policy->metrics.verdicts + (uint32_t)verdict, 1);
    if (!says_something(verdict))
        return;
    pthread_mutex_lock(&judge->lock);
    struct module_summary *summary = summary_of(judge, shadow->policy->state);
    count_matches(summary);
    bool mismatch = verdict == VERDICT_MISMATCH;
    summary->now.compared++;
    summary->now.mismatched += mismatch ? 1 : 0;
    summary->now.last_unix_ms = shadow->unix_ms;
    if (mismatch)
        summary->now.last_mismatch_unix_ms = shadow->unix_ms;
    count_recent(summary, mismatch);
    pthread_mutex_unlock(&judge->lock);
}

void judge_summary(struct judge *judge, struct shadow_state *module,
                   struct judge_summary *ret_summary)
{
    pthread_mutex_lock(&judge->lock);
    struct module_summary *summary = summary_of(judge, module);
    count_matches(summary);
    *ret_summary = summary->now;
    pthread_mutex_unlock(&judge->lock);
}

/* --- the thread ------------------------------------------------------------------------------ */

void judge_set_store(struct judge *judge, const struct difference_store *store)
{
    atomic_store_explicit(&judge->store, store, memory_order_release);
}

struct judge *judge_start(struct metrics_shard *metrics)
{
    struct judge *judge = memory_zalloc(sizeof(*judge));
    judge->metrics = metrics;
    judge->fields = field_table_new();
    judge->templates = field_table_new();
    judge->confirm_credit = JUDGE_CONFIRM_BURST;
    arena_pool_init(&judge->arenas, CHUNKS_KEPT);
    CHECK(getrandom(&judge->key, sizeof(judge->key), 0) == (ssize_t)sizeof(judge->key));
    pthread_mutex_init(&judge->lock, NULL);
    pthread_cond_init(&judge->filled, NULL);
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    CHECK(pthread_create(&judge->thread, NULL, run_judge, judge) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return judge;
}

void judge_stop(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    judge->stopping = true;
    pthread_cond_signal(&judge->filled);
    pthread_mutex_unlock(&judge->lock);
    pthread_join(judge->thread, NULL);
    free_all(&judge->queue);
}

void judge_free(struct judge *judge)
{
    free(judge->summaries.items);
    free(judge->trial);
    arena_pool_done(&judge->arenas);
    field_table_free(judge->fields);
    field_table_free(judge->templates);
    pthread_cond_destroy(&judge->filled);
    pthread_mutex_destroy(&judge->lock);
    free(judge);
}
