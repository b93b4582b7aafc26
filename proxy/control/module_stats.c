#include "proxy/control/module_stats.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/core/array.h"

/* --- counting ------------------------------------------------------------------------------ */

static uint64_t sum_of(const struct module_stats *stats, uint32_t id)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < stats->shard_count; i++)
        sum += metrics_read(stats->shards[i], id);
    return sum;
}

static uint64_t count_errors(const struct module_stats *stats, uint32_t first)
{
    uint64_t errors = 0;
    for (uint32_t method = 0; method < METHOD_COUNT; method++) {
        for (uint32_t code = 0; code < METRICS_CODES; code++) {
            if (metrics_code_is_error(code))
                errors += sum_of(stats, first + method * METRICS_CODES + code);
        }
    }
    return errors;
}

static void add_route(const struct module_stats *stats, const struct route_metrics *metrics,
                      struct side_counts *counts)
{
    uint64_t requests = 0;
    for (uint32_t bucket = 0; bucket < METRICS_BUCKETS; bucket++) {
        uint64_t count = sum_of(stats, metrics->duration + bucket);
        counts->buckets[bucket] += count;
        requests += count;
    }
    if (requests > 0) /* else there is nothing to look for in more than a thousand counters */
        counts->errors += count_errors(stats, metrics->requests);
}

/* --- modules ------------------------------------------------------------------------------- */

static struct module_samples *find(const struct module_stats *stats, struct strview module)
{
    for (size_t i = 0; i < stats->count; i++) {
        if (strview_equal(stats->items[i].name, module))
            return &stats->items[i];
    }
    return NULL;
}

static void begin_module(struct module_stats *stats, struct strview name)
{
    struct module_samples *samples = find(stats, name);
    if (samples == NULL) {
        samples = ARRAY_PUSH(stats);
        samples->name = strview_make(memory_strndup(name.data, name.length), name.length);
    }
    samples->is_current = true;
    samples->now = (struct module_counts){.taken_ms = stats->loop->now_ms};
}

static void free_name(struct module_samples *samples)
{
    free((char *)(uintptr_t)samples->name.data);
}

/* Modules that the configuration does not have any more. */
static void drop_gone(struct module_stats *stats)
{
    size_t kept = 0;
    for (size_t i = 0; i < stats->count; i++) {
        if (stats->items[i].is_current)
            stats->items[kept++] = stats->items[i];
        else
            free_name(&stats->items[i]);
    }
    stats->count = kept;
}

void module_stats_refresh(struct module_stats *stats)
{
    const struct snapshot *snapshot = *stats->current;
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < stats->count; i++)
        stats->items[i].is_current = false;
    for (uint32_t i = 0; i < snapshot->modules->count; i++)
        begin_module(stats, snapshot->modules->modules[i].name);
    drop_gone(stats);
    struct module_samples *samples = NULL; /* the routes of a module stand together */
    for (uint32_t i = 0; i < snapshot->route_count; i++) {
        const struct route_info *info = &snapshot->route_infos[i];
        if (info->module.length == 0)
            continue;
        if (samples == NULL || !strview_equal(samples->name, info->module))
            samples = find(stats, info->module);
        for (int side = SIDE_LEGACY; samples != NULL && side < SIDE_COUNT; side++)
            add_route(stats, &info->metrics[side], &samples->now.sides[side]);
    }
}

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* With very many routes and workers a sample takes a while: then they are rare, so that control's
 * thread is free for 99 parts of 100. */
static uint64_t next_interval_ms(uint64_t took_ms)
{
    uint64_t interval_ms = took_ms * 100;
    return interval_ms > MODULE_STATS_INTERVAL_MS ? interval_ms : MODULE_STATS_INTERVAL_MS;
}

static void on_again(struct deadline *deadline)
{
    struct module_stats *stats = LIST_ENTRY(deadline, struct module_stats, again);
    uint64_t began_ms = clock_ms();
    module_stats_refresh(stats);
    for (size_t i = 0; i < stats->count; i++) {
        struct module_samples *samples = &stats->items[i];
        samples->samples[samples->taken++ % MODULE_STATS_SAMPLES] = samples->now;
    }
    deadline_start(stats->loop, deadline, next_interval_ms(clock_ms() - began_ms));
}

void module_stats_start(struct module_stats *stats)
{
    deadline_init(&stats->again, on_again);
    on_again(&stats->again);
}

void module_stats_stop(struct module_stats *stats)
{
    if (stats->loop == NULL) /* it never began */
        return;
    deadline_stop(&stats->again);
    for (size_t i = 0; i < stats->count; i++)
        free_name(&stats->items[i]);
    free(stats->items);
    stats->items = NULL;
    stats->count = 0;
}

/* --- windows ------------------------------------------------------------------------------- */

static const struct module_counts *oldest_of(const struct module_samples *samples)
{
    bool is_full = samples->taken >= MODULE_STATS_SAMPLES;
    return &samples->samples[is_full ? samples->taken % MODULE_STATS_SAMPLES : 0];
}

double module_stats_seconds(const struct module_stats *stats)
{
    double longest = 0;
    for (size_t i = 0; i < stats->count; i++) {
        const struct module_samples *samples = &stats->items[i];
        double own = (double)(samples->now.taken_ms - oldest_of(samples)->taken_ms) / 1000;
        longest = own > longest ? own : longest;
    }
    return longest;
}

struct side_window module_stats_window(const struct module_stats *stats, struct strview module,
                                       enum side side)
{
    struct side_window window = {.requests = 0};
    uint64_t buckets[METRICS_BUCKETS];
    const struct module_samples *samples = find(stats, module);
    if (samples == NULL)
        return window;
    const struct module_counts *then = oldest_of(samples);
    const struct side_counts *now = &samples->now.sides[side];
    for (uint32_t i = 0; i < METRICS_BUCKETS; i++) {
        buckets[i] = now->buckets[i] - then->sides[side].buckets[i];
        window.requests += buckets[i];
    }
    window.errors = now->errors - then->sides[side].errors;
    window.seconds = (double)(samples->now.taken_ms - then->taken_ms) / 1000;
    window.p50_ms = histogram_quantile_ms(buckets, 0.5);
    window.p90_ms = histogram_quantile_ms(buckets, 0.9);
    window.p99_ms = histogram_quantile_ms(buckets, 0.99);
    return window;
}

double histogram_quantile_ms(const uint64_t buckets[static METRICS_BUCKETS], double share)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < METRICS_BUCKETS; i++)
        all += buckets[i];
    if (all == 0)
        return 0;
    double wanted = share * (double)all;
    double below = 0;
    double lower_us = 0;
    for (uint32_t i = 0; i + 1 < METRICS_BUCKETS; i++) {
        double upper_us = (double)metrics_bucket_us(i);
        if (buckets[i] > 0 && below + (double)buckets[i] >= wanted)
            return (lower_us + (upper_us - lower_us) * (wanted - below) / (double)buckets[i]) /
                   1000;
        below += (double)buckets[i];
        lower_us = upper_us;
    }
    return lower_us / 1000; /* above the last bound nothing is known */
}
