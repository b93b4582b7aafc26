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
enum { QUEUE_MAX = 8192, THREAD_NICENESS = 10 };

/* --- the queue
 * -------------------------------------------------------------------------------------- */

static struct shadow *take_next(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    while (judge->first == NULL && !judge->stopping)
        pthread_cond_wait(&judge->filled, &judge->lock);
    struct shadow *shadow = judge->stopping ? NULL : judge->first;
    if (shadow != NULL) {
        judge->first = shadow->next_in_queue;
        judge->last = judge->first != NULL ? judge->last : NULL;
        judge->queued--;
    }
    pthread_mutex_unlock(&judge->lock);
    return shadow;
}

bool judge_submit_take(struct judge *judge, struct shadow *shadow)
{
    pthread_mutex_lock(&judge->lock);
    bool taken = !judge->stopping && judge->queued < QUEUE_MAX;
    if (taken) {
        shadow->next_in_queue = NULL;
        if (judge->last != NULL)
            judge->last->next_in_queue = shadow;
        else
            judge->first = shadow;
        judge->last = shadow;
        judge->queued++;
        pthread_cond_signal(&judge->filled);
    }
    pthread_mutex_unlock(&judge->lock);
    return taken;
}

static void *run_judge(void *argument)
{
    struct judge *judge = argument;
    struct shadow *shadow;
    /* Of this thread alone, on Linux. Who cannot be nice competes: that is no fault. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), THREAD_NICENESS);
    while ((shadow = take_next(judge)) != NULL)
        judge_decide_take(judge, shadow);
    return NULL;
}

/* --- summaries
 * -------------------------------------------------------------------------------------- */

/* Both threads; under the lock. */
static struct module_summary *summary_of(struct judge *judge, struct strview module)
{
    for (size_t i = 0; i < judge->summaries.count; i++) {
        if (strview_equal(strview_of(judge->summaries.items[i].module), module))
            return &judge->summaries.items[i];
    }
    return NULL;
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
    struct module_summary *summary = summary_of(judge, shadow->policy->module);
    if (summary == NULL) {
        summary = ARRAY_PUSH(&judge->summaries);
        summary->module =
            memory_strndup(shadow->policy->module.data, shadow->policy->module.length);
    }
    bool mismatch = verdict == VERDICT_MISMATCH;
    summary->now.compared++;
    summary->now.mismatched += mismatch ? 1 : 0;
    summary->now.last_unix_ms = shadow->unix_ms;
    if (mismatch)
        summary->now.last_mismatch_unix_ms = shadow->unix_ms;
    count_recent(summary, mismatch);
    pthread_mutex_unlock(&judge->lock);
}

void judge_summary(struct judge *judge, struct strview module, struct judge_summary *ret_summary)
{
    pthread_mutex_lock(&judge->lock);
    const struct module_summary *summary = summary_of(judge, module);
    *ret_summary = summary != NULL ? summary->now : (struct judge_summary){.compared = 0};
    pthread_mutex_unlock(&judge->lock);
}

/* --- the thread
 * ------------------------------------------------------------------------------------- */

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
    while (judge->first != NULL) {
        struct shadow *shadow = judge->first;
        judge->first = shadow->next_in_queue;
        shadow_free(shadow);
    }
}

void judge_free(struct judge *judge)
{
    for (size_t i = 0; i < judge->summaries.count; i++)
        free(judge->summaries.items[i].module);
    free(judge->summaries.items);
    field_table_free(judge->fields);
    field_table_free(judge->templates);
    pthread_cond_destroy(&judge->filled);
    pthread_mutex_destroy(&judge->lock);
    free(judge);
}
