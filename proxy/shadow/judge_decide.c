/* From the answers of one request to its verdict. */
#include <time.h>

#include "proxy/compare/path_template.h"
#include "proxy/core/array.h"
#include "proxy/shadow/judge_internal.h"

/* One shadow under judgement. Too large for a stack, and for being zeroed each time. */
struct trial {
    struct judge *judge;
    const struct shadow *shadow;
    struct arena *arena;
    struct strview path_template;
    struct comparison raw;       /* first against second */
    struct comparison noise;     /* first against baseline */
    struct comparison again;     /* both once more */
    struct comparison itself;    /* first against first once more */
    struct difference_list real; /* what of raw is no noise and not accepted */
    uint32_t learning;
    uint32_t accepted;
};

/* The path's template, or one for all others of its route. */
static struct strview template_of(struct judge *judge, const struct shadow *shadow,
                                  struct arena *arena)
{
    struct strview module = shadow->policy->module;
    struct strview own = path_template_of(arena, shadow->original_path);
    if (field_table_has(judge->templates, module, shadow->route, own))
        return own;
    struct noise_counts *of_route =
        field_table_get(judge->templates, module, shadow->route, STRVIEW_NONE);
    if (of_route == NULL || of_route->total == JUDGE_TEMPLATES_OF_ROUTE_MAX)
        return arena_printf(arena, "(others of route %.*s)", STRVIEW_ARGS(shadow->route));
    of_route->total++;
    field_table_get(judge->templates, module, shadow->route, own);
    return own;
}

static struct compared_answer answer_of(const struct shadow *shadow, enum shadow_answer answer)
{
    const struct capture *capture = &shadow->answers[answer];
    return (struct compared_answer){
        .status = capture->status,
        .headers = &capture->headers,
        .body = capture_view(capture),
        .complete = capture->whole && !capture->cut_off,
    };
}

static void compare(const struct trial *trial, enum shadow_answer left, enum shadow_answer right,
                    struct comparison *ret_comparison)
{
    struct compared_answer first = answer_of(trial->shadow, left);
    struct compared_answer second = answer_of(trial->shadow, right);
    comparison_run(&trial->shadow->policy->rules, &first, &second, trial->arena, ret_comparison);
}

static bool has_field(const struct difference_list *list, struct strview field)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strview_equal(list->items[i].field, field))
            return true;
    }
    return false;
}

/* --- noise --------------------------------------------------------------------------------- */

static struct noise_counts *counts_of(const struct trial *trial, struct strview field)
{
    return field_table_get(trial->judge->fields, trial->shadow->policy->module,
                           trial->path_template, field);
}

static void count_fields(const struct trial *trial, const struct difference_list *list,
                         bool as_noise)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct noise_counts *counts = counts_of(trial, list->items[i].field);
        if (counts == NULL)
            continue;
        counts->raw += as_noise ? 0 : 1;
        counts->noise += as_noise ? 1 : 0;
    }
}

/* Raw and noise are counted over the same requests: those that have a baseline. */
static void learn(struct trial *trial)
{
    const struct shadow *shadow = trial->shadow;
    if (!shadow->has_baseline || shadow->ends[ANSWER_BASELINE] != ASK_ANSWERED)
        return;
    compare(trial, ANSWER_FIRST, ANSWER_BASELINE, &trial->noise);
    if (trial->noise.end == COMPARISON_NOT_COMPARABLE)
        return;
    struct noise_counts *total = counts_of(trial, STRVIEW_NONE);
    if (total == NULL)
        return;
    total->total++;
    count_fields(trial, &trial->raw.differences, false);
    count_fields(trial, &trial->noise.differences, true);
}

static enum noise_judgement judge_field(const struct trial *trial, struct strview field)
{
    const struct noise_counts *total = counts_of(trial, STRVIEW_NONE);
    struct noise_counts judged = {.total = total != NULL ? total->total : 0};
    const struct noise_counts *counts = counts_of(trial, field);
    if (counts != NULL) {
        judged.raw = counts->raw;
        judged.noise = counts->noise;
    }
    /* Never seen beside a baseline: nothing says that it is noise. */
    if (judged.raw == 0 && judged.noise == 0 && judged.total >= NOISE_LEARNING_BASELINES)
        return NOISE_REAL;
    return noise_judge(&judged);
}

/* --- what is left of the differences ------------------------------------------------------- */

static bool is_accepted(const struct trial *trial, const struct difference *difference)
{
    const struct difference_store *store = judge_store(trial->judge);
    const struct difference_group group = {trial->shadow->policy->module, trial->path_template,
                                           difference->field, difference->kind};
    return store != NULL && store->is_accepted(store->context, &group);
}

static void sort_out(struct trial *trial)
{
    difference_list_init(&trial->real, trial->arena);
    for (uint32_t i = 0; i < trial->raw.differences.count; i++) {
        const struct difference *difference = &trial->raw.differences.items[i];
        if (is_accepted(trial, difference)) {
            trial->accepted++;
            continue;
        }
        enum noise_judgement judgement = judge_field(trial, difference->field);
        trial->learning += judgement == NOISE_LEARNING ? 1 : 0;
        if (judgement == NOISE_REAL)
            difference_add(&trial->real, difference->kind, difference->field, difference->first,
                           difference->second);
    }
}

/* The verdict when nothing real is left of the differences. */
static enum verdict harmless_verdict(const struct trial *trial)
{
    if (trial->learning > 0)
        return VERDICT_LEARNING;
    return trial->accepted == trial->raw.differences.count ? VERDICT_ACCEPTED : VERDICT_NOISE;
}

/* --- asking again -------------------------------------------------------------------------- */

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool may_ask_again(struct judge *judge)
{
    uint64_t now_ms = clock_ms();
    judge->confirm_credit += (double)(now_ms - judge->confirm_ms) * JUDGE_CONFIRM_PER_SECOND / 1000;
    judge->confirm_ms = now_ms;
    if (judge->confirm_credit > JUDGE_CONFIRM_BURST)
        judge->confirm_credit = JUDGE_CONFIRM_BURST;
    if (judge->confirm_credit < 1)
        return false;
    judge->confirm_credit -= 1;
    return true;
}

/* Has what was asked again explained the differences? Else what is left of them stays in `real`. */
static bool explain_by_answers(struct trial *trial, enum verdict *ret_verdict)
{
    const struct shadow *shadow = trial->shadow;
    if (shadow->ends[ANSWER_CONFIRM_FIRST] != ASK_ANSWERED ||
        shadow->ends[ANSWER_CONFIRM_SECOND] != ASK_ANSWERED) {
        *ret_verdict = VERDICT_ERROR;
        return true;
    }
    compare(trial, ANSWER_CONFIRM_FIRST, ANSWER_CONFIRM_SECOND, &trial->again);
    compare(trial, ANSWER_FIRST, ANSWER_CONFIRM_FIRST, &trial->itself);
    if (trial->again.end == COMPARISON_NOT_COMPARABLE ||
        trial->itself.end == COMPARISON_NOT_COMPARABLE) {
        *ret_verdict = VERDICT_NOT_COMPARABLE;
        return true;
    }
    uint32_t left = 0;
    bool noise = false;
    for (uint32_t i = 0; i < trial->real.count; i++) {
        struct strview field = trial->real.items[i].field;
        bool still = has_field(&trial->again.differences, field);
        bool of_itself = has_field(&trial->itself.differences, field);
        noise = noise || (still && of_itself);
        if (still && !of_itself)
            trial->real.items[left++] = trial->real.items[i];
    }
    trial->real.count = left;
    *ret_verdict = noise ? VERDICT_NOISE : VERDICT_RACE;
    return left == 0;
}

/* The verdict, or false: both sides have to be asked again first. */
static bool decide_real(struct trial *trial, enum verdict *ret_verdict)
{
    const struct shadow *shadow = trial->shadow;
    if (shadow->confirmations > 0 && explain_by_answers(trial, ret_verdict))
        return true;
    *ret_verdict = VERDICT_MISMATCH;
    if (shadow->is_write || shadow->confirmations == SHADOW_CONFIRMATIONS_MAX)
        return true;
    if (may_ask_again(trial->judge))
        return false;
    /* Nobody may be asked now, so it is not confirmed: only what is confirmed is a mismatch. */
    if (shadow->confirmations == 0)
        *ret_verdict = VERDICT_LEARNING;
    return true;
}

/* --- the verdict --------------------------------------------------------------------------- */

/* False: the shadow goes back to its worker. */
static bool decide(struct trial *trial, enum verdict *ret_verdict)
{
    const struct shadow *shadow = trial->shadow;
    if (shadow->conditional) {
        *ret_verdict = VERDICT_NOT_COMPARABLE;
        return true;
    }
    compare(trial, ANSWER_FIRST, ANSWER_SECOND, &trial->raw);
    if (trial->raw.end != COMPARISON_NOT_COMPARABLE && shadow->confirmations == 0)
        learn(trial);
    if (trial->raw.end != COMPARISON_DIFFERENT) {
        *ret_verdict = trial->raw.end == COMPARISON_EQUAL ? VERDICT_MATCH : VERDICT_NOT_COMPARABLE;
        return true;
    }
    sort_out(trial);
    if (trial->real.count == 0) {
        *ret_verdict = harmless_verdict(trial);
        return true;
    }
    return decide_real(trial, ret_verdict);
}

static struct trial *trial_begin(struct judge *judge, const struct shadow *shadow,
                                 struct arena *arena)
{
    if (judge->trial == NULL)
        judge->trial = memory_zalloc(sizeof(*judge->trial));
    struct trial *trial = judge->trial;
    trial->judge = judge;
    trial->shadow = shadow;
    trial->arena = arena;
    trial->path_template = template_of(judge, shadow, arena);
    trial->learning = 0;
    trial->accepted = 0;
    return trial;
}

void judge_decide_take(struct judge *judge, struct shadow *shadow)
{
    struct arena arena;
    enum verdict verdict = VERDICT_ERROR;
    arena_init(&arena, &judge->arenas);
    struct trial *trial = trial_begin(judge, shadow, &arena);
    if (shadow->confirmations == 0)
        shadow_observe_times(shadow, judge->metrics);
    bool decided = decide(trial, &verdict);
    if (decided) {
        judge_count(judge, shadow, verdict);
        if (verdict == VERDICT_MISMATCH)
            judge_record(judge, shadow, trial->path_template, &trial->real, &arena);
    }
    arena_done(&arena);
    if (decided)
        shadow_free(shadow);
    else
        shadow_inbox_post_take(&shadow->environment->inbox, shadow);
}
