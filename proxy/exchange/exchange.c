#include "proxy/exchange/exchange_internal.h"

#include "proxy/core/check.h"
#include "proxy/core/state_machine.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/http/request_check.h"
#include "proxy/http/uuid.h"

static const struct state_row states[EXCHANGE_STATE_COUNT] = {
    [EXCHANGE_RECEIVING] = {"receiving",
                            STATE_BIT(EXCHANGE_PLANNED) | STATE_BIT(EXCHANGE_REPLYING_LOCALLY)},
    [EXCHANGE_PLANNED] = {"planned", STATE_BIT(EXCHANGE_FORWARDING) |
                                         STATE_BIT(EXCHANGE_REPLYING_LOCALLY) |
                                         STATE_BIT(EXCHANGE_WAITING)},
    [EXCHANGE_WAITING] = {"waiting",
                          STATE_BIT(EXCHANGE_PLANNED) | STATE_BIT(EXCHANGE_REPLYING_LOCALLY)},
    [EXCHANGE_FORWARDING] = {"forwarding", STATE_BIT(EXCHANGE_FORWARDING) |
                                               STATE_BIT(EXCHANGE_RESPONDING) |
                                               STATE_BIT(EXCHANGE_REPLYING_LOCALLY) |
                                               STATE_BIT(EXCHANGE_FINISHED)},
    [EXCHANGE_RESPONDING] = {"responding",
                             STATE_BIT(EXCHANGE_FINISHED) | STATE_BIT(EXCHANGE_FAILED)},
    [EXCHANGE_REPLYING_LOCALLY] = {"replying locally", STATE_BIT(EXCHANGE_FINISHED)},
    [EXCHANGE_FINISHED] = {"finished", 0},
    [EXCHANGE_FAILED] = {"failed", 0},
};

void exchange_set_state(struct exchange *exchange, enum exchange_state state)
{
    exchange->state = state_change(states, EXCHANGE_STATE_COUNT, exchange->state, state);
}

/* --- who asks ------------------------------------------------------------------------------ */

static bool is_trusted_proxy_text(const void *context, struct strview text)
{
    const struct snapshot *snapshot = context;
    struct ip_address ip;
    return ip_parse(text, &ip) &&
           cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count, &ip);
}

/* The client's address: the connection's, or what trusted proxies say about who is behind them. */
static void find_client(struct exchange *exchange)
{
    const struct snapshot *snapshot = exchange_snapshot(exchange);
    exchange->address = exchange->connection->address;
    exchange->address_text = exchange->connection->address_text;
    exchange->trusted = cidr_list_contains(snapshot->trusted_proxies, snapshot->trusted_proxy_count,
                                           &exchange->address);
    /* What a stranger says of its scheme would be believed as ours; HTTP/1 hardly ever says it. */
    if (!exchange->trusted || exchange->request->scheme.length == 0)
        exchange->request->scheme = exchange->connection->scheme;
    if (!exchange->trusted)
        return;
    struct ip_address ip;
    struct strview text =
        forwarding_client_text(exchange->request, is_trusted_proxy_text, snapshot);
    if (text.length > 0 && ip_parse(text, &ip)) {
        exchange->address = ip;
        exchange->address_text = text;
    }
}

/* --- local replies ------------------------------------------------------------------------- */

/* A request that is refused before it is prepared for a backend has an id all the same. */
static void ensure_request_id(struct exchange *exchange)
{
    if (exchange->request_id.length > 0)
        return;
    struct exchange_environment *environment = exchange->environment;
    char *text = arena_alloc(exchange->arena, UUID_TEXT_BYTES);
    uuid7_format(environment->io->loop.wall_ms,
                 entropy_take(&environment->entropy, UUID_RANDOM_BYTES), text);
    exchange->request_id = strview_make(text, UUID_TEXT_BYTES);
}

void exchange_reply_locally(struct exchange *exchange, int status, const char *detail)
{
    CHECK(!exchange->answer_started);
    exchange_stop_waiting(exchange);
    exchange_close_stream(exchange);
    exchange->tunnel = TUNNEL_NONE;
    exchange_set_state(exchange, EXCHANGE_REPLYING_LOCALLY);
    exchange_deadlines_stop(exchange);
    exchange->answer_started = true;
    ensure_request_id(exchange);
    struct local_reply reply;
    local_reply_make(exchange->request->method, status, detail, exchange->request_id,
                     exchange->arena, &reply);
    exchange->response = reply.head;
    if (exchange->location.length > 0)
        headers_add(&exchange->response.headers, exchange->arena, HEADER_OTHER, STRVIEW("location"),
                    exchange->location);
    exchange_send_head(exchange);
    if (reply.head.has_body) {
        exchange->response_bytes += reply.body.length;
        exchange->response_held += reply.body.length;
        exchange->table->send_body(exchange->client, NULL, reply.body.data, reply.body.length);
        headers_init(&exchange->trailers);
        exchange->table->send_end(exchange->client, &exchange->trailers);
    }
    exchange_set_state(exchange, EXCHANGE_FINISHED);
    exchange_progress(exchange);
}

/* --- forwarding ---------------------------------------------------------------------------- */

/* For the ids that somebody wants, who tells about the request by them: a backend, the log, a
 * comparison. No more of it than they need: the kernel takes its time for it. Local replies make an
 * id when they lack one. */
static const uint8_t *random_for_ids(const struct exchange *exchange)
{
    const struct snapshot *snapshot = exchange_snapshot(exchange);
    struct entropy *entropy = &exchange->environment->entropy;
    if (snapshot->forward & FORWARD_TRACEPARENT)
        return entropy_take(entropy, FORWARDING_RANDOM_BYTES);
    bool needs_id = (snapshot->forward & FORWARD_X_REQUEST_ID) != 0 ||
                    snapshot->access_log.enabled || exchange->plan.shadow;
    return needs_id ? entropy_take(entropy, UUID_RANDOM_BYTES) : NULL;
}

static void prepare_request(struct exchange *exchange)
{
    const struct request_head *request = exchange->request;
    struct forwarding_facts facts = {
        .fields = exchange_snapshot(exchange)->forward,
        .connection_address = exchange->connection->address_text,
        .original_path = exchange->plan.rewritten ? request->path : STRVIEW_NONE,
        .version = exchange->connection->version,
        .trusted = exchange->trusted,
        .dropped_cookie = exchange_snapshot(exchange)->rules.override.cookie,
        .now_ms = exchange->environment->io->loop.wall_ms,
        .random = random_for_ids(exchange),
    };
    struct forwarding_result result;
    forwarding_request(request, &facts, exchange->arena, &exchange->forwarded, &result);
    exchange->request_id = result.request_id;
    exchange->traceparent = result.traceparent;
    exchange->backend_request = (struct backend_request){
        .method = request->method,
        .method_text = request->method_text,
        .scheme = request->scheme,
        .authority = request->authority,
        .path = exchange->plan.path,
        .query = request->query,
        .headers = &exchange->forwarded,
        .content_length = request->content_length,
        .has_body = request->has_body,
    };
}

/* --- the life of an exchange --------------------------------------------------------------- */

static struct exchange *exchange_new(struct exchange_environment *environment,
                                     const struct exchange_client *table, void *client,
                                     const struct exchange_connection *connection,
                                     struct request_head *request, struct arena *arena)
{
    struct exchange *exchange = arena_zalloc(arena, sizeof(*exchange));
    exchange->state = EXCHANGE_RECEIVING;
    exchange->environment = environment;
    exchange->lease = snapshot_lease_hold(environment->lease);
    exchange->table = table;
    exchange->client = client;
    exchange->connection = connection;
    exchange->request = request;
    exchange->arena = arena;
    exchange->request_ended = !request->has_body;
    exchange->began_us = environment->io->loop.now_us;
    exchange->plan.reason = REASON_REJECTED;
    exchange_deadlines_init(exchange);
    environment->live++;
    metrics_gauge_add(&environment->metrics->gauges.live_exchanges, 1);
    return exchange;
}

static void make_plan(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    struct plan_facts facts = {
        .client = exchange->address,
        .random = entropy_peek(&environment->entropy, IDENTITY_RANDOM_BYTES),
        .now_ms = environment->io->loop.wall_ms,
    };
    plan_request(&exchange_snapshot(exchange)->rules, exchange->request, &facts, exchange->arena,
                 environment->scratch, &exchange->plan);
    if (exchange->plan.identity.assigned) /* made of them: nobody else gets them */
        entropy_take(&environment->entropy, IDENTITY_RANDOM_BYTES);
    exchange_set_state(exchange, EXCHANGE_PLANNED);
}

/* The lease's count of writes under way, by module: what a change of write owner waits for. */
static uint32_t *writes_of(struct exchange *exchange)
{
    const struct module_table *table = exchange_snapshot(exchange)->modules;
    return &exchange->lease->writes[exchange->plan.module - table->modules];
}

static void count_write(struct exchange *exchange)
{
    if (exchange->plan.module == NULL || !exchange->plan.is_write)
        return;
    ++*writes_of(exchange);
    exchange->counted_as_write = true;
}

static void uncount_write(struct exchange *exchange)
{
    if (exchange->counted_as_write)
        --*writes_of(exchange);
    exchange->counted_as_write = false;
}

void exchange_proceed(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    make_plan(exchange);
    if (exchange->plan.refuse_status != 0) {
        exchange_reply_locally(exchange, exchange->plan.refuse_status, NULL);
        return;
    }
    if (exchange->plan.reason == REASON_FREEZE) {
        exchange_wait(exchange);
        return;
    }
    count_write(exchange);
    exchange_choose_backend(exchange);
    if (!exchange_may_tunnel(exchange))
        return;
    prepare_request(exchange);
    exchange_ask_for_tunnel(exchange);
    retry_budget_add(&environment->retries);
    deadline_start(&environment->io->loop, &exchange->total, (uint64_t)exchange->timeouts.total_ms);
    if (exchange_may_fall_back(exchange))
        deadline_start(&environment->io->loop, &exchange->patience,
                       exchange->plan.module->fallback_after_ms);
    exchange_body_progress(exchange);
    if (exchange->plan.shadow)
        exchange_begin_shadow(exchange);
    exchange_forward(exchange);
}

struct exchange *exchange_start(struct exchange_environment *environment,
                                const struct exchange_client *table, void *client,
                                const struct exchange_connection *connection,
                                struct request_head *request, struct arena *arena)
{
    struct exchange *exchange =
        exchange_new(environment, table, client, connection, request, arena);
    const struct snapshot *snapshot = exchange_snapshot(exchange);
    find_client(exchange);
    struct request_verdict verdict = request_check(request, &snapshot->limits);
    if (verdict.status != 0) {
        exchange_reply_locally(exchange, verdict.status, verdict.detail);
        return exchange;
    }
    if (exchange_redirects(exchange))
        return exchange;
    if (request_ends_here(request))
        exchange_reply_locally(exchange, 204, NULL);
    else
        exchange_proceed(exchange);
    return exchange;
}

/* Not when it is answered already, nor what was meant for a tunnel that is none: behind a request
 * without content it would be read as the next one. */
static bool endpoint_takes_body(const struct exchange *exchange)
{
    return exchange->stream != NULL &&
           (exchange->backend_request.has_body || exchange->tunnel >= TUNNEL_OPEN);
}

void exchange_request_body(struct exchange *exchange, struct buffer *source, const char *data,
                           size_t length)
{
    exchange->request_bytes += length;
    uint64_t limit =
        exchange->tunnel == TUNNEL_NONE ? exchange_snapshot(exchange)->limits.body_bytes : 0;
    bool unanswered = exchange->stream != NULL || exchange->state == EXCHANGE_WAITING;
    if (limit != 0 && exchange->request_bytes > limit && unanswered)
        exchange_give_up_on_client(exchange, 413, "The request content is too large.");
    if (exchange_holds_body(exchange)) {
        exchange_hold_body(exchange, source, data, length);
        return;
    }
    if (!endpoint_takes_body(exchange)) { /* taken and dropped */
        exchange->table->request_consumed(exchange->client, length);
        return;
    }
    exchange->body_given = true;
    exchange->request_held += length;
    exchange_body_progress(exchange);
    exchange_tunnel_progress(exchange);
    if (exchange->shadow != NULL)
        shadow_request_body(exchange->shadow, data, length);
    backend_stream_send_body(exchange->stream, source, data, length);
}

void exchange_request_end(struct exchange *exchange, const struct headers *trailers)
{
    exchange->request_ended = true;
    exchange->request_trailers = trailers;
    deadline_stop(&exchange->body);
    if (exchange->stream != NULL && !exchange_holds_body(exchange))
        exchange_send_end(exchange);
    exchange_tunnel_progress(exchange);
}

void exchange_send_end(struct exchange *exchange)
{
    const struct headers *trailers = exchange->request_trailers;
    struct headers *passed = NULL;
    if (trailers != NULL && trailers->count > 0) {
        passed = arena_alloc(exchange->arena, sizeof(*passed));
        forwarding_trailers(trailers, exchange->arena, passed);
    }
    exchange_progress(exchange);
    if (exchange->shadow != NULL && !exchange->end_given)
        shadow_request_end(exchange->shadow);
    exchange->end_given = true;
    backend_stream_send_end(exchange->stream, passed);
}

void exchange_response_consumed(struct exchange *exchange, size_t length)
{
    CHECK(length <= exchange->response_held);
    exchange->response_held -= length;
    exchange_progress(exchange);
    if (exchange->stream != NULL)
        backend_stream_consumed(exchange->stream, length);
}

void exchange_end(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    exchange_deadlines_stop(exchange);
    exchange_stop_waiting(exchange);
    exchange_withdraw_stream(exchange);
    exchange_let_shadow_go(exchange);
    uncount_write(exchange);
    exchange_record(exchange);
    snapshot_lease_drop(exchange->lease);
    environment->live--;
    metrics_gauge_add(&environment->metrics->gauges.live_exchanges, -1);
}
