/* GET /metrics: what the shards counted, and what only control knows. */
#include <microhttpd.h>
#include <stdlib.h>

#include "proxy/backend/endpoint_health.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"
#include "proxy/control/live_metrics.h"
#include "proxy/core/check.h"
#include "proxy/observe/metrics_text.h"
#include "proxy/routing/bucket.h"

static double sum_gauge(const struct control *control, size_t offset)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < control->worker_count; i++) {
        const char *gauges = (const char *)&control->shards[i]->gauges;
        const _Atomic int64_t *gauge = (const void *)(gauges + offset);
        sum += atomic_load_explicit(gauge, memory_order_relaxed);
    }
    return (double)sum;
}

#define SUM_GAUGE(control, field) sum_gauge(control, offsetof(struct metrics_gauges, field))

static void write_connections(const struct control *control, FILE *out)
{
    fprintf(out, "# HELP strangler_connections Open connections of clients.\n"
                 "# TYPE strangler_connections gauge\n");
    for (size_t i = 0; i < CONNECTION_PROTOCOLS; i++)
        fprintf(out, "strangler_connections{protocol=\"%.*s\"} %g\n",
                STRVIEW_ARGS(connection_protocol_name((enum connection_protocol)i)),
                sum_gauge(control, offsetof(struct metrics_gauges, client_connections) +
                                       i * sizeof(_Atomic int64_t)));
    metrics_text_gauge(out, "strangler_paused_addresses",
                       "Addresses of clients from which no connections are taken now.", "",
                       address_pauses_count(control->pauses,
                                            control->publisher.current->limits.address_pause_ms,
                                            control->loop.now_ms));
    metrics_text_gauge(out, "strangler_live_exchanges", "Requests begun and not ended.", "",
                       SUM_GAUGE(control, live_exchanges));
}

static void write_modules(const struct snapshot *snapshot, FILE *out)
{
    const struct module_table *table = snapshot->modules;
    fprintf(out, "# HELP strangler_module_stage 1 for the stage that the module is in.\n"
                 "# TYPE strangler_module_stage gauge\n");
    for (uint32_t i = 0; i < table->count; i++) {
        struct strview stage = stage_name(table->modules[i].stage);
        fprintf(out, "strangler_module_stage{module=\"%.*s\",stage=\"%.*s\"} 1\n",
                STRVIEW_ARGS(table->modules[i].name), STRVIEW_ARGS(stage));
    }
    fprintf(out, "# HELP strangler_module_write_owner 1 for the side that takes the writes.\n"
                 "# TYPE strangler_module_write_owner gauge\n");
    for (uint32_t i = 0; i < table->count; i++) {
        struct strview owner = write_owner_name(table->modules[i].write_owner);
        fprintf(out, "strangler_module_write_owner{module=\"%.*s\",owner=\"%.*s\"} 1\n",
                STRVIEW_ARGS(table->modules[i].name), STRVIEW_ARGS(owner));
    }
    fprintf(out, "# HELP strangler_module_percent Share of identities on the extracted side in "
                 "stage ramp.\n# TYPE strangler_module_percent gauge\n");
    for (uint32_t i = 0; i < table->count; i++)
        fprintf(out, "strangler_module_percent{module=\"%.*s\"} %g\n",
                STRVIEW_ARGS(table->modules[i].name),
                (double)table->modules[i].threshold / BUCKETS_PER_PERCENT);
}

static void write_gauge_head(const char *name, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* By endpoint; also those of former configurations, while they have something open. */
static void write_open(const struct control *control, const uint32_t *counts, const char *name,
                       FILE *out)
{
    for (uint32_t i = 0; i < endpoint_registry_count(control->endpoints); i++) {
        const struct endpoint_state *endpoint = endpoint_registry_at(control->endpoints, i);
        if (counts[i] > 0)
            fprintf(out, "%s{backend=\"%.*s\",endpoint=\"%.*s\"} %u\n", name,
                    STRVIEW_ARGS(endpoint->backend_name), STRVIEW_ARGS(endpoint->address_text),
                    counts[i]);
    }
}

static void write_limits_reached(const struct endpoint_registry *registry, FILE *out)
{
    const char *name = "strangler_backend_limit_reached_total";
    fprintf(out,
            "# HELP %s Requests that found a limit of the backend reached.\n# TYPE %s counter\n",
            name, name);
    for (uint32_t i = 0; i < endpoint_registry_breaker_count(registry); i++) {
        const struct breaker *breaker = endpoint_registry_breaker_at(registry, i);
        for (int limit = 0; limit < BREAKER_LIMIT_COUNT; limit++) {
            struct strview limit_name = breaker_limit_name((enum breaker_limit)limit);
            uint64_t reached = atomic_load_explicit(&breaker->reached[limit], memory_order_relaxed);
            fprintf(out, "%s{backend=\"%.*s\",limit=\"%.*s\"} %llu\n", name,
                    STRVIEW_ARGS(breaker->backend_name), STRVIEW_ARGS(limit_name),
                    (unsigned long long)reached);
        }
    }
}

static void write_breakers(const struct control *control, FILE *out)
{
    struct backend_census census;
    backend_census_init(&census, control->endpoints);
    for (uint32_t i = 0; i < control->worker_count; i++)
        worker_count_backends(control->workers[i], &census);
    write_gauge_head("strangler_backend_connections", "Open connections to endpoints.", out);
    write_open(control, census.connections, "strangler_backend_connections", out);
    write_gauge_head("strangler_backend_streams", "Requests under way at endpoints.", out);
    write_open(control, census.in_flight, "strangler_backend_streams", out);
    write_gauge_head("strangler_backend_pending", "Requests that wait for room.", out);
    for (uint32_t i = 0; i < census.breaker_count; i++) {
        const struct breaker *breaker = endpoint_registry_breaker_at(control->endpoints, i);
        fprintf(out, "strangler_backend_pending{backend=\"%.*s\"} %u\n",
                STRVIEW_ARGS(breaker->backend_name), census.pending[i]);
    }
    write_limits_reached(control->endpoints, out);
    backend_census_done(&census);
}

static double is_healthy(const struct endpoint_view *view)
{
    return view->condition == ENDPOINT_IS_HEALTHY;
}

static double is_ejected(const struct endpoint_view *view)
{
    return view->ejected_for_ms > 0;
}

static double failures_of(const struct endpoint_view *view)
{
    return (double)view->failures;
}

static double ejections_of(const struct endpoint_view *view)
{
    return (double)view->ejections;
}

static const struct {
    const char *name;
    const char *type;
    const char *help;
    double (*value)(const struct endpoint_view *view);
} endpoint_rows[] = {
    {"strangler_endpoint_healthy", "gauge", "0 while the endpoint is avoided or drained.",
     is_healthy},
    {"strangler_endpoint_ejected", "gauge", "1 while failures keep requests away from it.",
     is_ejected},
    {"strangler_endpoint_failures_total", "counter",
     "Requests that it failed, by a fault or by 502, 503, 504.", failures_of},
    {"strangler_endpoint_ejections_total", "counter", "How often failures in a row ejected it.",
     ejections_of},
};

static void write_endpoints(const struct control *control, size_t row, FILE *out)
{
    const struct snapshot *snapshot = control->publisher.current;
    const char *name = endpoint_rows[row].name;
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, endpoint_rows[row].help, name,
            endpoint_rows[row].type);
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        const struct endpoint_set *set = backend_endpoints(&snapshot->backends[i]);
        for (uint32_t j = 0; j < set->count; j++) {
            const struct endpoint_state *endpoint = set->slots[j].state;
            struct endpoint_view view = endpoint_view(endpoint, control->loop.now_ms);
            fprintf(out, "%s{backend=\"%.*s\",endpoint=\"%.*s\"} %.17g\n", name,
                    STRVIEW_ARGS(snapshot->backends[i].name), STRVIEW_ARGS(endpoint->address_text),
                    endpoint_rows[row].value(&view));
        }
    }
}

static void write_metrics(struct control *control, FILE *out)
{
    metrics_text_write(control->metrics, control->shards, control->worker_count + 1, out);
    metrics_text_gauge(out, "strangler_shadows_in_flight", "Copies under way.", "",
                       shadow_registry_in_flight(control->shadows));
    metrics_text_gauge(
        out, "strangler_shadow_memory_bytes", "Held by copies and their answers.", "",
        (double)atomic_load_explicit(&control->shadow_budget.used, memory_order_relaxed));
    write_connections(control, out);
    write_modules(control->publisher.current, out);
    live_metrics_write(control->live, out);
    write_breakers(control, out);
    for (size_t row = 0; row < sizeof(endpoint_rows) / sizeof(endpoint_rows[0]); row++)
        write_endpoints(control, row, out);
    metrics_text_gauge(out, "strangler_config_generation", "The generation in force.", "",
                       (double)control->publisher.current->generation);
    metrics_text_gauge(out, "strangler_config_last_reload_successful",
                       "0 after a reload that was refused.", "",
                       control->last_reload_successful ? 1 : 0);
    metrics_text_counter(out, "strangler_access_log_dropped_total",
                         "Lines that found the log's ring full.",
                         access_log_dropped(control->access_log));
    metrics_text_process(out);
}

void admin_metrics(const struct admin_call *call)
{
    struct admin_answer answer = {
        .status = MHD_HTTP_OK,
        .content_type = "text/plain; version=0.0.4; charset=utf-8",
    };
    FILE *out = open_memstream(&answer.body, &answer.body_bytes);
    CHECK(out != NULL);
    write_metrics(call->control, out);
    fclose(out);
    admin_reply_take(call->request, &answer);
}
