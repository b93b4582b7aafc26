#include "proxy/backend/endpoint_health.h"

enum {
    DOWN_MS = 1000,  /* how long one that refused a connection is tried last */
    TRIAL_MS = 1000, /* the time for one trial; then the next request may be one */
    WAIT_MS = 5000,  /* so much later requests that must not fail go there, too */
    SEVERITY_MAX = EJECTION_MAX_MS / EJECTION_MS,
};

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void store(_Atomic uint64_t *value, uint64_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

static void count(_Atomic uint64_t *value)
{
    atomic_fetch_add_explicit(value, 1, memory_order_relaxed);
}

/* --- when it is picked ----------------------------------------------------------------------- */

bool endpoint_is_in_doubt(const struct endpoint_state *endpoint, bool may_fail, uint64_t now_ms)
{
    uint64_t wait_ms = may_fail ? 0 : WAIT_MS;
    uint64_t down_ms = load(&endpoint->down_until_ms);
    uint64_t ejected_ms = load(&endpoint->ejected_until_ms);
    if (down_ms != 0 && now_ms < down_ms + wait_ms)
        return true;
    return ejected_ms != 0 &&
           (now_ms < ejected_ms + wait_ms || now_ms < load(&endpoint->trial_until_ms));
}

void endpoint_picked(struct endpoint_state *endpoint, uint64_t now_ms)
{
    uint64_t until_ms = load(&endpoint->ejected_until_ms);
    if (until_ms != 0 && now_ms >= until_ms)
        store(&endpoint->trial_until_ms, now_ms + TRIAL_MS);
}

/* --- connections ----------------------------------------------------------------------------- */

void endpoint_connected(struct endpoint_state *endpoint)
{
    /* Read first: nearly always there is nothing to write, and others read the same line. */
    if (atomic_load_explicit(&endpoint->tls_fault, memory_order_relaxed) != NULL)
        atomic_store_explicit(&endpoint->tls_fault, NULL, memory_order_relaxed);
    if (!atomic_load_explicit(&endpoint->unreachable, memory_order_relaxed))
        return;
    atomic_store_explicit(&endpoint->unreachable, false, memory_order_relaxed);
    store(&endpoint->down_until_ms, 0);
}

void endpoint_connect_failed(struct endpoint_state *endpoint, uint64_t now_ms)
{
    atomic_store_explicit(&endpoint->unreachable, true, memory_order_relaxed);
    store(&endpoint->down_until_ms, now_ms + DOWN_MS);
}

void endpoint_found_again(struct endpoint_state *endpoint, uint64_t now_ms)
{
    if (!atomic_load_explicit(&endpoint->unreachable, memory_order_relaxed))
        return;
    endpoint_connected(endpoint);
    atomic_store_explicit(&endpoint->failures_in_row, 0, memory_order_relaxed);
    if (load(&endpoint->ejected_until_ms) == 0)
        return;
    store(&endpoint->ejected_until_ms, 0);
    store(&endpoint->good_since_ms, now_ms);
}

/* --- requests -------------------------------------------------------------------------------- */

void endpoint_succeeded(struct endpoint_state *endpoint, uint64_t now_ms)
{
    if (atomic_load_explicit(&endpoint->failures_in_row, memory_order_relaxed) != 0)
        atomic_store_explicit(&endpoint->failures_in_row, 0, memory_order_relaxed);
    uint64_t until_ms = load(&endpoint->ejected_until_ms);
    /* What began before the ejection and succeeds during it proves nothing. */
    if (until_ms != 0 && now_ms >= until_ms)
        store(&endpoint->ejected_until_ms, 0);
}

static bool takes_no_requests(const struct endpoint_state *endpoint, uint64_t now_ms)
{
    return endpoint_is_closed(endpoint) || load(&endpoint->ejected_until_ms) > now_ms;
}

/* How many of the set would be out with this one. */
static uint32_t count_out(const struct endpoint_set *set, const struct endpoint_state *endpoint,
                          uint64_t now_ms)
{
    uint32_t out = 1;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct endpoint_state *other = set->slots[i].state;
        if (other != endpoint && takes_no_requests(other, now_ms))
            out++;
    }
    return out;
}

/* The last severity and one more, less what good conduct since then has lowered it by. */
static uint32_t next_severity(const struct endpoint_state *endpoint, uint64_t now_ms)
{
    uint32_t last = atomic_load_explicit(&endpoint->severity, memory_order_relaxed);
    uint64_t since_ms = load(&endpoint->good_since_ms);
    uint64_t lowered = now_ms > since_ms ? (now_ms - since_ms) / EJECTION_MS : 0;
    uint32_t severity = lowered < last ? last - (uint32_t)lowered + 1 : 1;
    return severity < SEVERITY_MAX ? severity : SEVERITY_MAX;
}

static void eject(struct endpoint_state *endpoint, const struct endpoint_set *set,
                  uint64_t was_until_ms, uint64_t now_ms)
{
    if (count_out(set, endpoint, now_ms) * 2 > set->count) {
        store(&endpoint->ejected_until_ms, 0);
        return;
    }
    uint32_t severity = next_severity(endpoint, now_ms);
    uint64_t until_ms = now_ms + (uint64_t)severity * EJECTION_MS;
    /* One of several workers that come to the same end does it. */
    if (!atomic_compare_exchange_strong(&endpoint->ejected_until_ms, &was_until_ms, until_ms))
        return;
    /* Others may have ejected another one meanwhile. Then both come back, and one is next. */
    if (count_out(set, endpoint, now_ms) * 2 > set->count) {
        store(&endpoint->ejected_until_ms, 0);
        return;
    }
    atomic_store_explicit(&endpoint->severity, severity, memory_order_relaxed);
    store(&endpoint->good_since_ms, until_ms);
    count(&endpoint->ejections);
}

void endpoint_failed(struct endpoint_state *endpoint, const struct endpoint_set *set,
                     uint64_t now_ms)
{
    uint32_t in_row =
        atomic_fetch_add_explicit(&endpoint->failures_in_row, 1, memory_order_relaxed) + 1;
    uint64_t until_ms = load(&endpoint->ejected_until_ms);
    bool on_trial = until_ms != 0 && now_ms >= until_ms;
    count(&endpoint->failures);
    if (on_trial || (until_ms == 0 && in_row >= FAILURES_TO_EJECT))
        eject(endpoint, set, until_ms, now_ms);
}

bool status_is_failure(int status)
{
    return status >= 502 && status <= 504;
}

bool fault_is_failure(enum backend_fault fault, bool reused)
{
    switch (fault) {
    case BACKEND_FAULT_RESET:
        return !reused; /* an endpoint may close what nobody uses */
    case BACKEND_FAULT_CONNECT:
    case BACKEND_FAULT_CONNECT_TIMEOUT:
    case BACKEND_FAULT_REFUSED:
    case BACKEND_FAULT_MALFORMED:
    case BACKEND_FAULT_HEADER_LIMIT:
    case BACKEND_FAULT_FIRST_BYTE_TIMEOUT:
    case BACKEND_FAULT_IDLE_TIMEOUT:
    case BACKEND_FAULT_TLS:
        return true;
    case BACKEND_FAULT_OVERLOAD:      /* our own lack */
    case BACKEND_FAULT_TOTAL_TIMEOUT: /* may be the client's slowness */
    case BACKEND_FAULT_NO_ENDPOINT:
    case BACKEND_FAULT_STATUS: /* counted as the answer that it is */
    case BACKEND_FAULT_COUNT:
        break;
    }
    return false;
}

/* --- for operators --------------------------------------------------------------------------- */

static void set_closed(struct endpoint_state *endpoint, enum endpoint_closed why, bool closed)
{
    if (closed)
        atomic_fetch_or_explicit(&endpoint->closed, (unsigned)why, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&endpoint->closed, ~(unsigned)why, memory_order_relaxed);
}

void endpoint_set_draining(struct endpoint_state *endpoint, bool draining)
{
    set_closed(endpoint, ENDPOINT_DRAINING, draining);
}

void endpoint_set_probed(struct endpoint_state *endpoint, enum endpoint_probed probed)
{
    if (endpoint_probed(endpoint) == probed)
        return;
    atomic_store_explicit(&endpoint->probed, (uint32_t)probed, memory_order_relaxed);
    set_closed(endpoint, ENDPOINT_UNHEALTHY, probed == ENDPOINT_FAILS);
}

static enum endpoint_condition condition_of(const struct endpoint_state *endpoint, bool ejected)
{
    uint32_t closed = atomic_load_explicit(&endpoint->closed, memory_order_relaxed);
    if ((closed & ENDPOINT_DRAINING) != 0)
        return ENDPOINT_IS_DRAINING;
    if ((closed & ENDPOINT_UNHEALTHY) != 0)
        return ENDPOINT_IS_UNHEALTHY;
    if (ejected)
        return ENDPOINT_IS_EJECTED;
    if (atomic_load_explicit(&endpoint->unreachable, memory_order_relaxed))
        return ENDPOINT_IS_UNREACHABLE;
    return ENDPOINT_IS_HEALTHY;
}

struct endpoint_view endpoint_view(const struct endpoint_state *endpoint, uint64_t now_ms)
{
    uint64_t until_ms = load(&endpoint->ejected_until_ms);
    uint32_t closed = atomic_load_explicit(&endpoint->closed, memory_order_relaxed);
    return (struct endpoint_view){
        .condition = condition_of(endpoint, until_ms != 0),
        .probed = endpoint_probed(endpoint),
        .draining = (closed & ENDPOINT_DRAINING) != 0,
        .failures_in_row = atomic_load_explicit(&endpoint->failures_in_row, memory_order_relaxed),
        .ejected_for_ms = until_ms > now_ms ? until_ms - now_ms : 0,
        .tls_fault = atomic_load_explicit(&endpoint->tls_fault, memory_order_relaxed),
        .failures = load(&endpoint->failures),
        .ejections = load(&endpoint->ejections),
    };
}

struct strview endpoint_condition_name(enum endpoint_condition condition)
{
    static const char *const names[ENDPOINT_CONDITION_COUNT] = {
        [ENDPOINT_IS_HEALTHY] = "healthy",         [ENDPOINT_IS_DRAINING] = "draining",
        [ENDPOINT_IS_UNHEALTHY] = "unhealthy",     [ENDPOINT_IS_EJECTED] = "ejected",
        [ENDPOINT_IS_UNREACHABLE] = "unreachable",
    };
    return strview_of(names[condition]);
}
