/* One attempt: an endpoint of the planned backend, and a stream to it. */
#include "proxy/exchange/exchange_internal.h"

static int64_t chosen_timeout(int64_t of_route, int64_t of_backend)
{
    return of_route != TIMEOUT_UNSET ? of_route : of_backend;
}

static void resolve_timeouts(struct exchange *exchange)
{
    exchange->timeouts = exchange->backend->timeouts;
    const struct route *route = exchange->plan.route;
    if (route == NULL || route->timeouts == NULL)
        return;
    const struct timeouts *own = route->timeouts;
    struct timeouts *timeouts = &exchange->timeouts;
    timeouts->connect_ms = chosen_timeout(own->connect_ms, timeouts->connect_ms);
    timeouts->first_byte_ms = chosen_timeout(own->first_byte_ms, timeouts->first_byte_ms);
    timeouts->idle_ms = chosen_timeout(own->idle_ms, timeouts->idle_ms);
    timeouts->total_ms = chosen_timeout(own->total_ms, timeouts->total_ms);
}

void exchange_choose_backend(struct exchange *exchange)
{
    exchange->backend = &exchange_snapshot(exchange)->backends[exchange->plan.backend];
    resolve_timeouts(exchange);
}

/* An IPv6 client may use any address of its /64. */
static uint64_t key_of_address(const struct ip_address *address)
{
    size_t length = ip_is_v4(address) ? sizeof(address->bytes) : sizeof(address->bytes) / 2;
    return balance_key(strview_make((const char *)address->bytes, length));
}

/* Who asks: the identity that a module goes by, whatever its stage, else the client's address. One
 * that is given out just now is nobody's yet. */
static uint64_t key_of(struct exchange *exchange)
{
    const struct plan_rules *rules = &exchange_snapshot(exchange)->rules;
    struct identity identity = exchange->plan.identity;
    struct identity_facts facts = {
        .client = exchange->address,
        .random = entropy_take(&exchange->environment->entropy, IDENTITY_RANDOM_BYTES),
    };
    if (identity.value.length == 0)
        identity = identity_of(rules->identity, rules->identity_count, exchange->request, &facts,
                               exchange->arena);
    bool known = identity.value.length > 0 && identity.kind != IDENTITY_ADDRESS;
    if (known && (!identity.assigned || exchange->plan.identity.assigned))
        return balance_key(identity.value);
    return key_of_address(&exchange->address);
}

static struct endpoint_state *pick_endpoint(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    const struct backend *backend = exchange->backend;
    struct balance_facts facts = {
        .now_ms = environment->io->loop.now_ms,
        .may_fail = exchange->attempts == 0 && !exchange->plan.is_write,
        .tried = exchange->endpoint,
    };
    if (backend_endpoints(backend)->count > 1)
        memcpy(&facts.random, entropy_take(&environment->entropy, sizeof(facts.random)),
               sizeof(facts.random));
    if (backend->balance == BALANCE_HASH)
        facts.key = key_of(exchange);
    return balancer_pick(backend, environment->pools, &facts);
}

enum attempt { ATTEMPT_BEGUN, ATTEMPT_WITHOUT_ENDPOINT, ATTEMPT_WITHOUT_ROOM };

/* `waited`: goes in front of those that wait for room. */
static enum attempt begin_attempt(struct exchange *exchange, bool waited)
{
    struct exchange_environment *environment = exchange->environment;
    struct endpoint_state *endpoint = pick_endpoint(exchange);
    if (endpoint == NULL)
        return backend_is_resolving(exchange->backend) ? ATTEMPT_WITHOUT_ROOM
                                                       : ATTEMPT_WITHOUT_ENDPOINT;
    struct backend_stream_options options = {
        .request = &exchange->backend_request,
        .timeouts = &exchange->timeouts,
        .limits = &exchange->backend->limits,
        .tls = exchange->backend->tls,
        .waited = waited,
        .fresh = exchange->found_stale,
        .events = &exchange_stream_events,
        .owner = exchange,
        .arena = exchange->arena,
    };
    exchange->pool = backend_pools_get(environment->pools, endpoint);
    exchange->stream = backend_pool_open_stream(exchange->pool, &options);
    if (exchange->stream == NULL)
        return ATTEMPT_WITHOUT_ROOM;
    backend_pool_asked(exchange->pool);
    exchange->endpoint = endpoint;
    exchange->attempts++;
    exchange->attempt_began_us = environment->io->loop.now_us;
    if (exchange->state == EXCHANGE_WAITING)
        exchange_set_state(exchange, EXCHANGE_PLANNED);
    exchange_set_state(exchange, EXCHANGE_FORWARDING);
    exchange_progress(exchange);
    return ATTEMPT_BEGUN;
}

void exchange_forward(struct exchange *exchange)
{
    bool again = exchange->attempts > 0;
    switch (begin_attempt(exchange, again)) {
    case ATTEMPT_BEGUN:
        if (again)
            exchange_body_goes_on(exchange);
        break;
    case ATTEMPT_WITHOUT_ENDPOINT:
        exchange_not_sent(exchange, BACKEND_FAULT_NO_ENDPOINT);
        break;
    case ATTEMPT_WITHOUT_ROOM:
        if (again)
            exchange_not_sent(exchange, BACKEND_FAULT_OVERLOAD);
        else
            exchange_wait_for_room(exchange);
        break;
    }
}

bool exchange_forward_waiting(struct exchange *exchange)
{
    switch (begin_attempt(exchange, true)) {
    case ATTEMPT_BEGUN:
        break;
    case ATTEMPT_WITHOUT_ENDPOINT:
        exchange_not_sent(exchange, BACKEND_FAULT_NO_ENDPOINT);
        break;
    case ATTEMPT_WITHOUT_ROOM:
        return false;
    }
    return true;
}

/* What we said of the path that was asked for; the last of our fields. */
static void take_back_original_path(struct headers *headers)
{
    if (headers->count > 0 && headers->fields[headers->count - 1].token == HEADER_X_ORIGINAL_PATH)
        headers->count--;
}

void exchange_fall_back(struct exchange *exchange)
{
    exchange_let_shadow_go(exchange); /* its first side has failed: there is nothing to compare */
    if (exchange->plan.rewritten)
        take_back_original_path(&exchange->forwarded);
    plan_fall_back(&exchange->plan, exchange->request);
    exchange_choose_backend(exchange);
    exchange->endpoint = NULL;
    exchange->backend_request.path = exchange->plan.path;
    deadline_stop(&exchange->patience);
    exchange_forward(exchange);
}
