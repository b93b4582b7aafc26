/* An attempt that came to nothing: once more, on the other side, or a reply of our own. */
#include "proxy/exchange/exchange_internal.h"

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
        return "The backend has as much to do as it may.";
    case BACKEND_FAULT_FIRST_BYTE_TIMEOUT:
    case BACKEND_FAULT_IDLE_TIMEOUT:
    case BACKEND_FAULT_TOTAL_TIMEOUT:
        return "The backend did not answer in time.";
    case BACKEND_FAULT_NO_ENDPOINT:
        return "The backend has no endpoint that takes requests.";
    case BACKEND_FAULT_STATUS:
    case BACKEND_FAULT_COUNT:
        break;
    }
    return NULL;
}

bool exchange_may_fall_back(const struct exchange *exchange)
{
    return exchange->tunnel == TUNNEL_NONE &&
           plan_may_fall_back(&exchange->plan, exchange->request);
}

static struct attempt_facts facts_of(const struct exchange *exchange, enum backend_fault fault)
{
    return (struct attempt_facts){
        .fault = fault,
        .is_read = !exchange->plan.is_write,
        .body_given = exchange->body_given,
        .answer_started = exchange->answer_started,
        .may_fall_back = exchange_may_fall_back(exchange),
        .retries = exchange->retries,
        .endpoint_count = backend_endpoints(exchange->backend)->count,
    };
}

static enum next_attempt decide(struct exchange *exchange, const struct attempt_facts *facts)
{
    return next_attempt_decide(facts, &exchange->environment->retries);
}

static void give_up(struct exchange *exchange, enum backend_fault fault)
{
    if (!exchange->answer_started) {
        exchange_reply_locally(exchange, status_of_fault(fault), detail_of(fault));
        return;
    }
    exchange_set_state(exchange, EXCHANGE_FAILED);
    exchange_deadlines_stop(exchange);
    exchange->table->cut(exchange->client);
}

static void go_on(struct exchange *exchange, enum next_attempt next, enum backend_fault fault)
{
    exchange_close_stream(exchange);
    switch (next) {
    case NEXT_ATTEMPT_RETRY:
        exchange->retries++;
        exchange_forward(exchange);
        break;
    case NEXT_ATTEMPT_FALLBACK:
        exchange_fall_back(exchange);
        break;
    case NEXT_ATTEMPT_NONE:
        give_up(exchange, fault);
        break;
    }
}

static void tell_health(struct exchange *exchange, enum backend_fault fault, bool reused)
{
    if (fault == BACKEND_FAULT_FIRST_BYTE_TIMEOUT)
        backend_pool_timed_out(exchange->pool, exchange->attempt_began_us);
    backend_pool_failed(exchange->pool, backend_endpoints(exchange->backend), fault, reused);
}

void exchange_attempt_failed(struct exchange *exchange, enum backend_fault fault, bool unprocessed,
                             bool reused)
{
    struct attempt_facts facts = facts_of(exchange, fault);
    facts.unprocessed = unprocessed;
    facts.reused = reused;
    exchange->found_stale = reused; /* the others that are kept may end for the same reason */
    exchange_record_fault(exchange, fault);
    tell_health(exchange, fault, reused);
    go_on(exchange, decide(exchange, &facts), fault);
}

void exchange_not_sent(struct exchange *exchange, enum backend_fault fault)
{
    struct attempt_facts facts = facts_of(exchange, fault);
    exchange_record_fault(exchange, fault);
    go_on(exchange, decide(exchange, &facts), fault);
}

bool exchange_replace_answer(struct exchange *exchange, int status)
{
    struct attempt_facts facts = facts_of(exchange, BACKEND_FAULT_STATUS);
    enum next_attempt next = decide(exchange, &facts);
    if (next == NEXT_ATTEMPT_NONE)
        return false;
    exchange_record_fault(exchange, BACKEND_FAULT_STATUS);
    backend_pool_answered(exchange->pool, backend_endpoints(exchange->backend), status);
    go_on(exchange, next, BACKEND_FAULT_STATUS);
    return true;
}

void exchange_lose_patience(struct exchange *exchange)
{
    struct attempt_facts facts = facts_of(exchange, BACKEND_FAULT_FIRST_BYTE_TIMEOUT);
    facts.still_running = true;
    enum next_attempt next = decide(exchange, &facts);
    if (next == NEXT_ATTEMPT_NONE)
        return; /* it may answer yet */
    exchange_record_fault(exchange, BACKEND_FAULT_FIRST_BYTE_TIMEOUT);
    tell_health(exchange, BACKEND_FAULT_FIRST_BYTE_TIMEOUT, false);
    go_on(exchange, next, BACKEND_FAULT_FIRST_BYTE_TIMEOUT);
}
