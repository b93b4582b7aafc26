/*
 * A WebSocket's way through: a request that asks to become a tunnel, and the tunnel that it becomes
 * when the endpoint says 101. Both directions then have an end of their own.
 */
#include "proxy/exchange/exchange_internal.h"

enum { KEY_RANDOM_BYTES = 16, KEY_TEXT_BYTES = 24 };

/* base64 (RFC 4648) of 16 bytes. */
static struct strview format_key(const uint8_t random[static KEY_RANDOM_BYTES], struct arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = arena_alloc(arena, KEY_TEXT_BYTES);
    size_t used = 0;
    for (size_t i = 0; i < KEY_RANDOM_BYTES; i += 3) {
        uint32_t second = i + 1 < KEY_RANDOM_BYTES ? random[i + 1] : 0;
        uint32_t third = i + 2 < KEY_RANDOM_BYTES ? random[i + 2] : 0;
        uint32_t bits = (uint32_t)random[i] << 16 | second << 8 | third;
        for (int shift = 18; shift >= 0; shift -= 6)
            text[used++] = digits[bits >> shift & 63];
    }
    memset(text + KEY_TEXT_BYTES - 2, '=', 2);
    return strview_make(text, KEY_TEXT_BYTES);
}

/* HTTP/2 has no use for the key, HTTP/1.1 demands one (RFC 8441 section 5, RFC 6455 section 4.1).
 */
static void add_key(struct exchange *exchange)
{
    static const struct strview name = STRVIEW("sec-websocket-key");
    if (headers_find_name(&exchange->forwarded, name) != NULL)
        return;
    const uint8_t *random = entropy_take(&exchange->environment->entropy, KEY_RANDOM_BYTES);
    headers_add(&exchange->forwarded, exchange->arena, HEADER_OTHER, name,
                format_key(random, exchange->arena));
}

bool exchange_may_tunnel(struct exchange *exchange)
{
    const struct request_head *request = exchange->request;
    const struct route *route = exchange->plan.route;
    if (!request->asks_websocket)
        return true;
    bool served = route != NULL && route->websocket && exchange->backend->protocol == BACKEND_HTTP1;
    exchange->tunnel = served ? TUNNEL_ASKED : TUNNEL_NONE;
    if (served || !request->is_connect)
        return true; /* an Upgrade may be overlooked (RFC 9110 section 7.8) */
    exchange_reply_locally(exchange, 501, "WebSockets are not served here.");
    return false;
}

void exchange_ask_for_tunnel(struct exchange *exchange)
{
    if (exchange->tunnel != TUNNEL_ASKED)
        return;
    exchange->backend_request.websocket = true;
    exchange->backend_request.has_body = false;
    add_key(exchange);
}

/* --- a configuration that has changed -------------------------------------------------------- */

static void on_notice(struct deadline *deadline)
{
    exchange_give_up_on_client(LIST_ENTRY(deadline, struct exchange, notice), 503, NULL);
}

static void remember_tunnel(struct exchange *exchange)
{
    deadline_init(&exchange->notice, on_notice);
    list_init(&exchange->tunnels);
    if (exchange->plan.route->close_after_ms > 0)
        list_append(&exchange->environment->tunnels, &exchange->tunnels);
}

void exchange_forget_tunnel(struct exchange *exchange)
{
    if (exchange->tunnel < TUNNEL_OPEN)
        return;
    list_remove(&exchange->tunnels);
    deadline_stop(&exchange->notice);
}

/* Would the same request still go to the same endpoint's backend? */
static bool may_stay(const struct exchange *exchange, struct arena *arena)
{
    struct exchange_environment *environment = exchange->environment;
    const struct snapshot *snapshot = environment->lease->snapshot;
    struct plan plan;
    struct plan_facts facts = {
        .client = exchange->address,
        .random = entropy_take(&environment->entropy, IDENTITY_RANDOM_BYTES),
        .now_ms = environment->io->loop.wall_ms,
    };
    plan_request(&snapshot->rules, exchange->request, &facts, arena, environment->scratch, &plan);
    if (plan.reason == REASON_FREEZE)
        return true; /* it will be known soon */
    if (plan.refuse_status != 0 || plan.route == NULL || !plan.route->websocket)
        return false;
    const struct backend *backend = &snapshot->backends[plan.backend];
    return strview_equal(backend->name, exchange->backend->name) &&
           endpoint_set_contains(backend_endpoints(backend), exchange->endpoint);
}

void exchange_review_tunnels(struct exchange_environment *environment)
{
    struct list *tunnels = &environment->tunnels;
    for (struct list *at = tunnels->next; at != tunnels; at = at->next) {
        struct exchange *exchange = LIST_ENTRY(at, struct exchange, tunnels);
        struct arena arena;
        arena_init(&arena, &environment->io->arenas);
        if (may_stay(exchange, &arena))
            deadline_stop(&exchange->notice);
        else if (!deadline_is_running(&exchange->notice))
            deadline_start(&environment->io->loop, &exchange->notice,
                           exchange->plan.route->close_after_ms);
        arena_done(&arena);
    }
}

/* --- its life ------------------------------------------------------------------------------ */

void exchange_take_tunnel(struct exchange *exchange)
{
    bool early_end = exchange->request->is_connect && exchange->request_ended;
    exchange->tunnel = TUNNEL_OPEN;
    remember_tunnel(exchange);
    exchange->request_ended = early_end;
    backend_pool_answered(exchange->pool, backend_endpoints(exchange->backend),
                          exchange->response.status);
    exchange_give_held_body(exchange);
    exchange_drop_held_body(exchange);
    if (early_end && exchange->stream != NULL)
        exchange_send_end(exchange);
}

void exchange_leave_tunnel(struct exchange *exchange)
{
    exchange->tunnel = TUNNEL_NONE;
    exchange_drop_held_body(exchange);
}

static void finish(struct exchange *exchange)
{
    exchange_set_state(exchange, EXCHANGE_FINISHED);
    exchange_deadlines_stop(exchange);
    exchange_progress(exchange); /* the client may have some to read yet */
    exchange_close_stream(exchange);
}

void exchange_tunnel_ended(struct exchange *exchange)
{
    exchange->tunnel = TUNNEL_HALF_OPEN;
    headers_init(&exchange->trailers);
    exchange->table->send_end(exchange->client, &exchange->trailers);
    exchange_tunnel_progress(exchange);
}

void exchange_tunnel_progress(struct exchange *exchange)
{
    bool over = exchange->tunnel == TUNNEL_HALF_OPEN && exchange->request_ended;
    if (over && exchange->state == EXCHANGE_RESPONDING)
        finish(exchange);
    else if (exchange->tunnel >= TUNNEL_OPEN && exchange->state == EXCHANGE_RESPONDING)
        exchange_progress(exchange);
}
