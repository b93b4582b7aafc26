/* From the answers to a verdict: at once, or by way of the compare thread. */
#include "proxy/shadow/judge.h"
#include "proxy/shadow/shadow_internal.h"

static struct compared_answer answer_of(const struct shadow *shadow, enum shadow_answer answer)
{
    const struct capture *capture = &shadow->answers[answer];
    return (struct compared_answer){.status = capture->status, .headers = &capture->headers};
}

static bool answers_are_same(const struct shadow *shadow)
{
    struct compared_answer first = answer_of(shadow, ANSWER_FIRST);
    struct compared_answer second = answer_of(shadow, ANSWER_SECOND);
    return capture_bodies_are_same(&shadow->answers[ANSWER_FIRST],
                                   &shadow->answers[ANSWER_SECOND]) &&
           answers_have_same_head(&shadow->policy->rules, &first, &second);
}

enum verdict shadow_verdict_at_once(const struct shadow *shadow)
{
    bool teaches = shadow->has_baseline && shadow->ends[ANSWER_BASELINE] == ASK_ANSWERED;
    if (shadow->phase != SHADOW_ASKING || teaches)
        return VERDICT_COUNT;
    if (shadow->conditional)
        return VERDICT_NOT_COMPARABLE;
    return answers_are_same(shadow) ? VERDICT_MATCH : VERDICT_COUNT;
}

void shadow_observe_times(const struct shadow *shadow, struct metrics_shard *metrics)
{
    const struct shadow_metrics *ids = &shadow->policy->metrics;
    const struct capture *first = &shadow->answers[ANSWER_FIRST];
    const struct capture *second = &shadow->answers[ANSWER_SECOND];
    if (!second->whole)
        return;
    metrics_observe(metrics, ids->duration, second->duration_us);
    if (first->whole)
        metrics_observe_delta(metrics, ids->delta,
                              (int64_t)second->duration_us - (int64_t)first->duration_us);
}

/* --- to the compare thread ------------------------------------------------------------------- */

static void run_hand_over(struct task *task)
{
    struct shadow_environment *environment = LIST_ENTRY(task, struct shadow_environment, hand_over);
    judge_submit_take(environment->judge, &environment->judged);
    struct shadow *left;
    while ((left = shadow_queue_take_first(&environment->judged)) != NULL) {
        metrics_add(environment->metrics, left->policy->metrics.verdicts + VERDICT_NOT_COMPARABLE,
                    1);
        shadow_free(left);
    }
}

void shadow_hand_over_init(struct shadow_environment *environment)
{
    environment->judged = (struct shadow_queue){.count = 0};
    task_init(&environment->hand_over, run_hand_over);
}

void shadow_hand_over_take(struct shadow *shadow)
{
    struct shadow_environment *environment = shadow->environment;
    shadow->phase = SHADOW_JUDGING;
    shadow_memory_leave_thread(&shadow->memory);
    shadow_queue_append_take(&environment->judged, shadow);
    task_schedule(&environment->io->loop, &environment->hand_over);
}
