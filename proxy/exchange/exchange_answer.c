/* The answer on its way from the endpoint to the client, and what happens when it does not come. */
#include "proxy/exchange/exchange_internal.h"

#include "proxy/core/check.h"
#include "proxy/backend/endpoint_health.h"

static void let_go(struct exchange *exchange, struct withdrawn *withdrawn)
{
    if (exchange->stream == NULL)
        return;
    struct backend_stream *stream = exchange->stream;
    exchange->stream = NULL;
    backend_stream_withdraw(stream, withdrawn);
    /* What the endpoint did not take of the request is dropped: the client owes nothing for it. */
    size_t held = exchange->request_held;
    exchange->request_held = 0;
    if (held > 0)
        exchange->table->request_consumed(exchange->client, held);
}

void exchange_close_stream(struct exchange *exchange)
{
    let_go(exchange, NULL);
}

void exchange_withdraw_stream(struct exchange *exchange)
{
    let_go(exchange, exchange->connection->withdrawn);
}

static void on_interim_head(void *owner, const struct response_head *head)
{
    struct exchange *exchange = owner;
    struct response_head interim = *head;
    forwarding_response(head, exchange->arena, &interim.headers);
    exchange->table->send_interim_head(exchange->client, &interim);
    exchange_progress(exchange);
}

/* RFC 9110 section 6.6.1: who passes on an answer without a date says when it came. */
void exchange_send_head(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    struct headers *headers = &exchange->response.headers;
    if (headers_find(headers, HEADER_DATE) == NULL) {
        struct strview now = http_date_at(&environment->date, environment->io->loop.wall_ms);
        headers_add(headers, exchange->arena, HEADER_DATE, STRVIEW("date"),
                    arena_copy(exchange->arena, now));
    }
    if (exchange->connection->hsts_s != 0)
        exchange_add_hsts(exchange);
    exchange->table->send_head(exchange->client, &exchange->response);
}

static void on_response_head(void *owner, const struct response_head *head)
{
    struct exchange *exchange = owner;
    struct exchange_environment *environment = exchange->environment;
    uint64_t now_us = environment->io->loop.now_us;
    backend_pool_heard(exchange->pool, exchange->attempt_began_us);
    if (status_is_failure(head->status) && exchange_replace_answer(exchange, head->status))
        return;
    deadline_stop(&exchange->patience);
    exchange_set_state(exchange, EXCHANGE_RESPONDING);
    exchange->answer_started = true;
    exchange->first_byte_us = now_us - exchange->began_us;
    metrics_observe(environment->metrics, exchange->backend->metrics.first_byte,
                    now_us - exchange->attempt_began_us);
    exchange->response = *head;
    forwarding_response(head, exchange->arena, &exchange->response.headers);
    if (exchange->shadow != NULL)
        shadow_first_head(exchange->shadow, &exchange->response);
    exchange_add_cookies(exchange);
    exchange_progress(exchange);
    exchange_send_head(exchange);
    if (head->status == 101)
        exchange_take_tunnel(exchange);
    else if (exchange->tunnel != TUNNEL_NONE)
        exchange_leave_tunnel(exchange);
}

static void on_response_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct exchange *exchange = owner;
    bool is_awaited = exchange->response_held == 0; /* else the limit is the client's, and runs */
    exchange->response_bytes += length;
    exchange->response_held += length;
    if (is_awaited)
        exchange_progress(exchange);
    if (exchange->shadow != NULL)
        shadow_first_body(exchange->shadow, data, length);
    exchange->table->send_body(exchange->client, buffer, data, length);
}

static void on_response_end(void *owner, const struct headers *trailers)
{
    struct exchange *exchange = owner;
    struct exchange_environment *environment = exchange->environment;
    if (exchange->tunnel != TUNNEL_NONE) {
        exchange_tunnel_ended(exchange);
        return;
    }
    metrics_observe(environment->metrics, exchange->backend->metrics.total,
                    environment->io->loop.now_us - exchange->attempt_began_us);
    backend_pool_answered(exchange->pool, backend_endpoints(exchange->backend),
                          exchange->response.status);
    exchange_set_state(exchange, EXCHANGE_FINISHED);
    exchange_deadlines_stop(exchange);
    if (exchange->shadow != NULL)
        shadow_first_end(exchange->shadow);
    exchange_progress(exchange); /* the client may have some to read yet */
    if (exchange->response.has_body) {
        forwarding_trailers(trailers, exchange->arena, &exchange->trailers);
        exchange->table->send_end(exchange->client, &exchange->trailers);
    }
    exchange_close_stream(exchange);
}

static void on_connected(void *owner)
{
    exchange_body_goes_on(owner);
}

static void on_request_consumed(void *owner, size_t length)
{
    struct exchange *exchange = owner;
    CHECK(length <= exchange->request_held);
    exchange->request_held -= length;
    /* An answer may have begun that waits for more of the request; a client that does not read it
     * gains no time. */
    if (exchange->state == EXCHANGE_FORWARDING ||
        (exchange->state == EXCHANGE_RESPONDING && exchange->response_held == 0))
        exchange_progress(exchange);
    exchange_body_progress(exchange);
    exchange_tunnel_progress(exchange);
    exchange->table->request_consumed(exchange->client, length);
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    struct exchange *exchange = owner;
    if (exchange->tunnel >= TUNNEL_OPEN) /* cut, by whomever: no fault of the endpoint's */
        exchange_give_up_on_client(exchange, 502, NULL);
    else
        exchange_attempt_failed(exchange, fault, unprocessed, reused);
}

const struct backend_stream_events exchange_stream_events = {
    .on_connected = on_connected,
    .on_interim_head = on_interim_head,
    .on_response_head = on_response_head,
    .on_response_body = on_response_body,
    .on_response_end = on_response_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

void exchange_give_up_on_client(struct exchange *exchange, int status, const char *detail)
{
    if (!exchange->answer_started) {
        exchange_reply_locally(exchange, status, detail);
        return;
    }
    exchange_deadlines_stop(exchange);
    exchange_close_stream(exchange);
    if (exchange->state == EXCHANGE_RESPONDING)
        exchange_set_state(exchange, EXCHANGE_FAILED);
    exchange->table->cut(exchange->client);
}
