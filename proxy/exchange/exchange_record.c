/* What remains of an exchange: counters and one line in the access log. */
#include "proxy/exchange/exchange_internal.h"

/* The code that nginx made known for a client that left before any answer. */
enum { STATUS_CLIENT_GONE = 499 };

static const struct route_info *info_of(const struct exchange *exchange)
{
    const struct snapshot *snapshot = exchange_snapshot(exchange);
    if (exchange->plan.route != NULL)
        return &snapshot->route_infos[exchange->plan.route->index];
    bool is_routed =
        exchange->plan.reason != REASON_REJECTED && exchange->plan.reason != REASON_REDIRECT;
    return is_routed ? &snapshot->unrouted : &snapshot->rejected;
}

static int status_of(const struct exchange *exchange)
{
    return exchange->answer_started ? exchange->response.status : STATUS_CLIENT_GONE;
}

static void write_log(const struct exchange *exchange, uint64_t duration_us)
{
    const struct snapshot *snapshot = exchange_snapshot(exchange);
    const struct request_head *request = exchange->request;
    const struct plan *plan = &exchange->plan;
    const struct route_info *info = info_of(exchange);
    char reason[PLAN_REASON_BYTES];
    size_t reason_length = plan_reason_format(plan, reason);
    struct strview trace = exchange->traceparent;
    struct access_log_entry entry = {
        .unix_ms = exchange->environment->io->loop.wall_ms,
        .request_id = exchange->request_id,
        .trace_id = trace.length > 35 ? strview_make(trace.data + 3, 32) : STRVIEW_NONE,
        .client = exchange->address_text,
        .protocol = exchange->connection->protocol,
        .method = request->method_text,
        .authority = request->authority,
        .path = strview_make(request->target.data, strview_find(request->target, '?')),
        .query = request->query,
        .status = status_of(exchange),
        .bytes_received = exchange->request_bytes,
        .bytes_sent = exchange->response_bytes - exchange->response_held,
        .duration_us = duration_us,
        .first_byte_us = exchange->first_byte_us,
        .route = info->name,
        .module = info->module,
        .stage = plan->module != NULL ? stage_name(plan->module->stage) : STRVIEW_NONE,
        .side = side_name(plan->side),
        .reason = strview_make(reason, reason_length),
        .endpoint = exchange->endpoint != NULL ? exchange->endpoint->address_text : STRVIEW_NONE,
        .attempts = exchange->attempts,
        .shadow = exchange->shadowed,
        .generation = snapshot->generation,
    };
    access_log_write(exchange->environment->log,
                     snapshot->access_log.combined ? ACCESS_LOG_COMBINED : ACCESS_LOG_JSON, &entry);
}

void exchange_record(const struct exchange *exchange)
{
    struct metrics_shard *metrics = exchange->environment->metrics;
    uint64_t duration_us = exchange->environment->io->loop.now_us - exchange->began_us;
    const struct route_metrics *ids = &info_of(exchange)->metrics[exchange->plan.side];
    metrics_add(
        metrics,
        ids->requests + metrics_request_offset(exchange->request->method, status_of(exchange)), 1);
    metrics_observe(metrics, ids->duration, duration_us);
    metrics_add(metrics, ids->decisions + (uint32_t)exchange->plan.reason, 1);
    if (exchange->environment->log != NULL && exchange_snapshot(exchange)->access_log.enabled)
        write_log(exchange, duration_us);
}

void exchange_record_fault(const struct exchange *exchange, enum backend_fault fault)
{
    metrics_add(exchange->environment->metrics, exchange->backend->metrics.errors + (uint32_t)fault,
                1);
}
