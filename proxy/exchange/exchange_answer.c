/* The answer on its way from the endpoint to the client, and what happens when it does not come. */
#include "proxy/exchange/exchange_internal.h"

#include "proxy/core/check.h"

void exchange_close_stream(struct exchange *exchange)
{
    if (exchange->stream == NULL)
        return;
    struct backend_stream *stream = exchange->stream;
    exchange->stream = NULL;
    backend_stream_close(stream);
    /* What the endpoint did not take of the request is dropped: the client owes nothing for it. */
    size_t held = exchange->request_held;
    exchange->request_held = 0;
    if (held > 0)
        exchange->table->request_consumed(exchange->client, held);
}

static void on_interim_head(void *owner, const struct response_head *head)
{
    struct exchange *exchange = owner;
    struct response_head interim = *head;
    forwarding_response(head, exchange->arena, &interim.headers);
    exchange->table->send_interim_head(exchange->client, &interim);
    exchange_progress(exchange);
}

static void on_response_head(void *owner, const struct response_head *head)
{
    struct exchange *exchange = owner;
    struct exchange_environment *environment = exchange->environment;
    uint64_t now_us = environment->io->loop.now_us;
    exchange_set_state(exchange, EXCHANGE_RESPONDING);
    exchange->answer_started = true;
    exchange->first_byte_us = now_us - exchange->began_us;
    metrics_observe(environment->metrics, exchange->backend->metrics.first_byte,
                    now_us - exchange->attempt_began_us);
    exchange->response = *head;
    forwarding_response(head, exchange->arena, &exchange->response.headers);
    exchange_add_cookies(exchange);
    exchange_progress(exchange);
    exchange->table->send_head(exchange->client, &exchange->response);
}

static void on_response_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct exchange *exchange = owner;
    exchange->response_bytes += length;
    exchange->response_held += length;
    exchange_progress(exchange);
    exchange->table->send_body(exchange->client, buffer, data, length);
}

static void on_response_end(void *owner, const struct headers *trailers)
{
    struct exchange *exchange = owner;
    struct exchange_environment *environment = exchange->environment;
    metrics_observe(environment->metrics, exchange->backend->metrics.total,
                    environment->io->loop.now_us - exchange->attempt_began_us);
    backend_pool_answered(exchange->pool, backend_endpoints(exchange->backend),
                          exchange->response.status);
    exchange_set_state(exchange, EXCHANGE_FINISHED);
    exchange_deadlines_stop(exchange);
    exchange_progress(exchange); /* the client may have some to read yet */
    if (exchange->response.has_body) {
        forwarding_trailers(trailers, exchange->arena, &exchange->trailers);
        exchange->table->send_end(exchange->client, &exchange->trailers);
    }
    exchange_close_stream(exchange);
}

static void on_request_consumed(void *owner, size_t length)
{
    struct exchange *exchange = owner;
    CHECK(length <= exchange->request_held);
    exchange->request_held -= length;
    if (exchange->state == EXCHANGE_FORWARDING)
        exchange_progress(exchange);
    exchange_body_progress(exchange);
    exchange->table->request_consumed(exchange->client, length);
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    exchange_attempt_failed(owner, fault, unprocessed, reused);
}

const struct backend_stream_events exchange_stream_events = {
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

static const char *detail_of(enum backend_fault fault)
{
    switch (fault) {
    case BACKEND_FAULT_CONNECT:
    case BACKEND_FAULT_CONNECT_TIMEOUT:
        return "The backend cannot be reached.";
    case BACKEND_FAULT_RESET:
    case BACKEND_FAULT_REFUSED:
        return "The backend closed the connection before it answered.";
    case BACKEND_FAULT_MALFORMED:
        return "The backend's answer was malformed.";
    case BACKEND_FAULT_HEADER_LIMIT:
        return "The backend's answer had too large a head.";
    case BACKEND_FAULT_TLS:
        return "No trusted connection to the backend can be made.";
    case BACKEND_FAULT_OVERLOAD:
        return "Too many connections to the backend are in use.";
    case BACKEND_FAULT_FIRST_BYTE_TIMEOUT:
    case BACKEND_FAULT_IDLE_TIMEOUT:
    case BACKEND_FAULT_TOTAL_TIMEOUT:
        return "The backend did not answer in time.";
    case BACKEND_FAULT_COUNT:
        break;
    }
    return NULL;
}

void exchange_attempt_failed(struct exchange *exchange, enum backend_fault fault, bool unprocessed,
                             bool reused)
{
    exchange_record_fault(exchange, fault);
    backend_pool_failed(exchange->pool, backend_endpoints(exchange->backend), fault, reused);
    exchange_close_stream(exchange);
    struct retry_facts facts = {
        .fault = fault,
        .unprocessed = unprocessed,
        .reused = reused,
        .is_read = !exchange->plan.is_write,
        .body_given = exchange->body_given,
        .answer_started = exchange->answer_started,
        .attempts = exchange->attempts,
        .endpoint_count = backend_endpoints(exchange->backend)->count,
    };
    if (retry_decide(&facts, &exchange->environment->retries)) {
        exchange_forward(exchange);
    } else if (!exchange->answer_started) {
        exchange_reply_locally(exchange, status_of_fault(fault), detail_of(fault));
    } else {
        exchange_set_state(exchange, EXCHANGE_FAILED);
        exchange_deadlines_stop(exchange);
        exchange->table->cut(exchange->client);
    }
}
