/* Nothing waits for ever: each wait of an exchange has a name, a limit and an end. */
#include "proxy/exchange/exchange_internal.h"

static struct loop *loop_of(const struct exchange *exchange)
{
    return &exchange->environment->io->loop;
}

/* The client has bytes that it does not take: its silence, not the backend's. */
static bool client_is_slow(const struct exchange *exchange)
{
    return exchange->response_held > 0;
}

/* The request is incomplete and everything that came has been passed on. What is said for a tunnel
 * is not waited for by the endpoint. */
static bool client_owes_body(const struct exchange *exchange)
{
    return exchange->backend_request.has_body && !exchange->request_ended &&
           exchange->request_held == 0 && exchange->held_body.bytes == 0;
}

static void on_progress_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, progress);
    if (client_is_slow(exchange)) {
        exchange_give_up_on_client(exchange, 408, "The client did not read the answer.");
        return;
    }
    if (!exchange->answer_started && client_owes_body(exchange)) {
        exchange_progress(exchange); /* the limit for that is the body's */
        return;
    }
    if (exchange->tunnel >= TUNNEL_OPEN || client_owes_body(exchange)) { /* silent on both sides */
        exchange_give_up_on_client(exchange, 504, NULL);
        return;
    }
    exchange_attempt_failed(exchange,
                            exchange->answer_started ? BACKEND_FAULT_IDLE_TIMEOUT
                                                     : BACKEND_FAULT_FIRST_BYTE_TIMEOUT,
                            false, false);
}

static void on_total_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, total);
    if (exchange->tunnel >= TUNNEL_OPEN)
        exchange_give_up_on_client(exchange, 504, NULL);
    else if (exchange->state == EXCHANGE_WAITING)
        exchange_wait_in_vain(exchange, BACKEND_FAULT_TOTAL_TIMEOUT);
    else
        exchange_attempt_failed(exchange, BACKEND_FAULT_TOTAL_TIMEOUT, false, false);
}

static void on_body_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, body);
    if (client_owes_body(exchange))
        exchange_give_up_on_client(exchange, 408, "The request content did not arrive in time.");
    else
        exchange_body_progress(exchange);
}

static void on_patience_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, patience);
    if (exchange->state == EXCHANGE_WAITING)
        exchange_wait_in_vain(exchange, BACKEND_FAULT_OVERLOAD);
    else
        exchange_lose_patience(exchange);
}

void exchange_deadlines_init(struct exchange *exchange)
{
    deadline_init(&exchange->progress, on_progress_expired);
    deadline_init(&exchange->total, on_total_expired);
    deadline_init(&exchange->body, on_body_expired);
    deadline_init(&exchange->patience, on_patience_expired);
}

void exchange_deadlines_stop(struct exchange *exchange)
{
    deadline_stop(&exchange->progress);
    deadline_stop(&exchange->total);
    deadline_stop(&exchange->body);
    deadline_stop(&exchange->patience);
    exchange_forget_tunnel(exchange);
}

void exchange_progress(struct exchange *exchange)
{
    uint64_t limit_ms = 0; /* no limit: nobody is waited for */
    if (client_is_slow(exchange))
        limit_ms = exchange_snapshot(exchange)->limits.write_timeout_ms;
    else if (exchange->state == EXCHANGE_RESPONDING)
        limit_ms = (uint64_t)exchange->timeouts.idle_ms;
    else if (exchange->state == EXCHANGE_FORWARDING)
        limit_ms = (uint64_t)exchange->timeouts.first_byte_ms;
    deadline_start(loop_of(exchange), &exchange->progress, limit_ms);
}

void exchange_body_progress(struct exchange *exchange)
{
    if (!exchange->request_ended && exchange->tunnel == TUNNEL_NONE)
        deadline_start(loop_of(exchange), &exchange->body,
                       exchange_snapshot(exchange)->limits.body_timeout_ms);
}
