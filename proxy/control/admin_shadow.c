#include "proxy/control/admin_shadow.h"

#include <stdio.h>

#include "proxy/control/admin_json.h"
#include "proxy/control/control_internal.h"

static uint64_t sum_of(const struct control *control, uint32_t id)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= control->worker_count; i++) /* the last is the compare thread's */
        sum += metrics_read(control->shards[i], id);
    return sum;
}

static struct judge_summary summary_of(const struct control *control, const struct module *module)
{
    struct judge_summary summary = {.compared = 0};
    if (control->judge != NULL)
        judge_summary(control->judge, shadow_registry_get(control->shadows, module->name),
                      &summary);
    return summary;
}

/* --- counts and times ---------------------------------------------------------------------- */

/* Names with what was counted of each; those without anything are left out. */
static json_t *json_counts(const struct control *control, uint32_t first,
                           const struct strview *names, uint32_t count)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = sum_of(control, first + i);
        if (number > 0)
            json_object_set_new(object, names[i].data, json_integer((json_int_t)number));
    }
    return object;
}

static void add_quantiles(json_t *object, const struct control *control, uint32_t first)
{
    uint64_t buckets[METRICS_BUCKETS];
    uint64_t all = 0;
    for (uint32_t i = 0; i < METRICS_BUCKETS; i++)
        all += buckets[i] = sum_of(control, first + i);
    static const struct {
        const char *name;
        double share;
    } rows[] = {{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        json_object_set_new(object, rows[i].name,
                            all > 0 ? json_real(histogram_quantile_ms(buckets, rows[i].share))
                                    : json_null());
}

/* Half of the copies took at most so much longer than the client's request; null before the first,
 * or beyond the last bound. */
static json_t *json_pair_median(const struct control *control, uint32_t first)
{
    uint64_t buckets[METRICS_DELTA_BUCKETS];
    uint64_t all = 0;
    double below = 0;
    for (uint32_t i = 0; i < METRICS_DELTA_BUCKETS; i++)
        all += buckets[i] = sum_of(control, first + i);
    for (uint32_t i = 0; all > 0 && i + 1 < METRICS_DELTA_BUCKETS; i++) {
        double wanted = (double)all / 2 - below;
        double upper_us = (double)metrics_delta_bucket_us(i);
        double lower_us = i > 0 ? (double)metrics_delta_bucket_us(i - 1) : upper_us;
        if (buckets[i] > 0 && (double)buckets[i] >= wanted)
            return json_real((lower_us + (upper_us - lower_us) * wanted / (double)buckets[i]) /
                             1000);
        below += (double)buckets[i];
    }
    return json_null();
}

json_t *json_shadow(const struct control *control, const struct module *module)
{
    const struct snapshot *snapshot = control->publisher.current;
    const struct shadow_policy *policy = &snapshot->shadows[module - snapshot->modules->modules];
    const struct shadow_metrics *metrics = &policy->metrics;
    const struct judge_summary summary = summary_of(control, module);
    if (module->shadow_threshold == 0)
        return json_null();
    json_t *object = json_pack(
        "{s:o, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "percent",
        json_percent(module->shadow_threshold), "sampled",
        (json_int_t)sum_of(control, metrics->sampled), "sent",
        (json_int_t)sum_of(control, metrics->sent), "dropped",
        json_counts(control, metrics->dropped, shadow_drop_names, SHADOW_DROP_COUNT), "verdicts",
        json_counts(control, metrics->verdicts, verdict_names, VERDICT_COUNT), "recent_compared",
        (json_int_t)summary.recent_compared, "recent_mismatched",
        (json_int_t)summary.recent_mismatched, "last_compared", json_time(summary.last_unix_ms),
        "last_mismatch", json_time(summary.last_mismatch_unix_ms), "pair_p50_ms",
        json_pair_median(control, metrics->delta));
    add_quantiles(object, control, metrics->duration);
    return object;
}

/* --- what they prove ----------------------------------------------------------------------- */

json_t *json_mismatch_rate(const struct control *control, const struct module *module)
{
    const struct judge_summary summary = summary_of(control, module);
    if (summary.recent_compared == 0)
        return json_null();
    return json_real(100.0 * (double)summary.recent_mismatched / (double)summary.recent_compared);
}

bool shadow_proves_way_back(const struct control *control, const struct module *module,
                            char ret_why[static ROLLBACK_WHY_BYTES])
{
    const struct judge_summary summary = summary_of(control, module);
    uint64_t now_ms = control->loop.wall_ms;
    uint64_t age_ms = now_ms > summary.last_unix_ms ? now_ms - summary.last_unix_ms : 0;
    if (module->shadow_threshold == 0) {
        snprintf(ret_why, ROLLBACK_WHY_BYTES, "nothing is copied to legacy");
    } else if (summary.recent_compared == 0) {
        snprintf(ret_why, ROLLBACK_WHY_BYTES, "nothing was compared yet");
    } else if (age_ms > ROLLBACK_COMPARED_WITHIN_MS) {
        snprintf(ret_why, ROLLBACK_WHY_BYTES, "nothing was compared for %llu minutes",
                 (unsigned long long)(age_ms / 60000));
    } else if (summary.recent_mismatched > 0) {
        snprintf(ret_why, ROLLBACK_WHY_BYTES, "%llu of the last %llu answers are mismatches",
                 (unsigned long long)summary.recent_mismatched,
                 (unsigned long long)summary.recent_compared);
    } else {
        return true;
    }
    return false;
}
