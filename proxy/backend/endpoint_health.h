/*
 * Is an endpoint to be trusted with a request? What requests met there says so (passive health): a
 * connection that is refused makes it tried last for a moment; FAILURES_TO_EJECT failed requests in
 * a row eject it for a while, longer each time; and after that one request at a time may find out
 * whether it is well again. Never are more than half of a backend's endpoints ejected. Any thread,
 * no locks.
 */
#ifndef BACKEND_ENDPOINT_HEALTH_H
#define BACKEND_ENDPOINT_HEALTH_H

#include "proxy/backend/backend_stream.h"
#include "proxy/backend/endpoint_set.h"

enum {
    FAILURES_TO_EJECT = 5,
    EJECTION_MS = 30 * 1000, /* times the severity, which such a time of good conduct lowers by 1 */
    EJECTION_MAX_MS = 300 * 1000,
};

/* --- asked when an endpoint is picked -------------------------------------------------------- */

/* No request at all may go there. */
static inline bool endpoint_is_closed(const struct endpoint_state *endpoint)
{
    return atomic_load_explicit(&endpoint->closed, memory_order_relaxed) != 0;
}

/* The same as endpoint_is_in_trouble, for one that may be. */
bool endpoint_is_in_doubt(const struct endpoint_state *endpoint, bool may_fail, uint64_t now_ms);

/* Better another one, if there is any. `may_fail`: the request would be tried again elsewhere, so
 * that it may well find out whether the endpoint is back. */
static inline bool endpoint_is_in_trouble(const struct endpoint_state *endpoint, bool may_fail,
                                          uint64_t now_ms)
{
    if (atomic_load_explicit(&endpoint->down_until_ms, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&endpoint->ejected_until_ms, memory_order_relaxed) == 0)
        return false;
    return endpoint_is_in_doubt(endpoint, may_fail, now_ms);
}

/* A request goes there: if the endpoint is on trial, this is the trial. */
void endpoint_picked(struct endpoint_state *endpoint, uint64_t now_ms);

/* --- told by whoever asked it something ------------------------------------------------------ */

/* A connection was made, or could not be made. */
void endpoint_connected(struct endpoint_state *endpoint);
void endpoint_connect_failed(struct endpoint_state *endpoint, uint64_t now_ms);

/* A request was answered, or failed. `set`: all endpoints of the backend. */
void endpoint_succeeded(struct endpoint_state *endpoint, uint64_t now_ms);
void endpoint_failed(struct endpoint_state *endpoint, const struct endpoint_set *set,
                     uint64_t now_ms);

/* Does this answer, or this fault, speak against the endpoint? */
bool status_is_failure(int status);
bool fault_is_failure(enum backend_fault fault, bool reused);

/* It can be connected to again: an ejection for that is over. */
void endpoint_found_again(struct endpoint_state *endpoint, uint64_t now_ms);

static inline bool endpoint_is_unreachable(const struct endpoint_state *endpoint)
{
    return atomic_load_explicit(&endpoint->unreachable, memory_order_relaxed);
}

/* --- active health: the prober alone -----------------------------------------------------------
 */

static inline enum endpoint_probed endpoint_probed(const struct endpoint_state *endpoint)
{
    return (enum endpoint_probed)atomic_load_explicit(&endpoint->probed, memory_order_relaxed);
}

/* One that fails takes no requests. */
void endpoint_set_probed(struct endpoint_state *endpoint, enum endpoint_probed probed);

/* --- for operators -----------------------------------------------------------------------------
 */

/* While draining it takes no new requests; those under way end as they would. */
void endpoint_set_draining(struct endpoint_state *endpoint, bool draining);

enum endpoint_condition {
    ENDPOINT_IS_HEALTHY,
    ENDPOINT_IS_DRAINING,
    ENDPOINT_IS_UNHEALTHY, /* probes say so */
    ENDPOINT_IS_EJECTED,
    ENDPOINT_IS_UNREACHABLE,
    ENDPOINT_CONDITION_COUNT
};

/* What pages and metrics show, at one moment. */
struct endpoint_view {
    enum endpoint_condition condition;
    bool draining;
    enum endpoint_probed probed;
    uint32_t failures_in_row;
    uint64_t ejected_for_ms; /* from now on; 0: not ejected */
    const char *tls_fault;   /* why the last TLS handshake failed; NULL: it did not */
    uint64_t failures;       /* since the process began */
    uint64_t ejections;
};

struct endpoint_view endpoint_view(const struct endpoint_state *endpoint, uint64_t now_ms);

/* "healthy", "draining", "unhealthy", "ejected", "unreachable" */
struct strview endpoint_condition_name(enum endpoint_condition condition);

#endif
