/*
 * One request and its answer: the whole way from a complete head to the last byte, in one place.
 * exchange_start runs straight through (check, plan, forward); after that, events from the two ends
 * move it on. It lives in the arena of the client's stream, and one worker's thread.
 *
 *   RECEIVING -> PLANNED -> FORWARDING -> RESPONDING -> FINISHED
 *                    |           \-> (again) FORWARDING
 *                    \-> REPLYING_LOCALLY -> FINISHED          FAILED: the client saw a cut answer
 *                    \-> WAITING -> PLANNED                    a write of a frozen module
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "proxy/backend/balancer.h"
#include "proxy/exchange/entropy.h"
#include "proxy/exchange/retry.h"
#include "proxy/exchange/snapshot_lease.h"
#include "proxy/http/http_date.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/metrics.h"
#include "proxy/shadow/shadow.h"

struct exchange;

/* What exchanges of one worker share. Owned by the worker. */
struct exchange_environment {
    struct io *io;
    struct backend_pools *pools;
    struct match_scratch *scratch;
    struct metrics_shard *metrics;
    struct access_log_ring *log;  /* NULL: no access log */
    struct snapshot_lease *lease; /* the current one */
    struct list leases;           /* all that have exchanges, and the current one */
    struct list tunnels;          /* exchanges that are WebSockets and may be given notice */
    struct list waiting;          /* exchanges whose module's writes are frozen */
    struct shadow_environment *shadows;
    struct entropy entropy;
    struct http_date date;
    struct retry_budget retries;
    uint32_t live; /* exchanges begun and not ended */
};

/* What is the same for all requests of a client's connection. Owned by the connection. */
struct exchange_connection {
    struct ip_address address; /* of the other end */
    struct strview address_text;
    struct strview protocol; /* "h2" */
    struct strview version;  /* "2.0", as Via wants it */
    struct strview scheme;   /* "https" over TLS, else "http" */
    uint16_t redirect_port;  /* where https is spoken, to which requests are sent; 0: they stay */
    struct withdrawn *withdrawn; /* what its client gave up; NULL: that does not count */
    uint32_t hsts_s;             /* Strict-Transport-Security; 0: it is not said */
};

/*
 * What an exchange asks of the session that its client speaks with. Calls only queue; nothing of
 * them calls back into the exchange before the turn ends.
 */
struct exchange_client {
    void (*send_interim_head)(void *client, const struct response_head *head);
    /* Without has_body this ends the answer. The head has to stay valid with the arena. Of status
     * 101: both bodies are a tunnel's from here on, and each has an end of its own. */
    void (*send_head)(void *client, const struct response_head *head);
    void (*send_body)(void *client, struct buffer *source, const char *data, size_t length);
    /* Trailers may be empty. */
    void (*send_end)(void *client, const struct headers *trailers);
    /* The answer cannot be completed: the client must not take it for whole. */
    void (*cut)(void *client);
    /* `length` bytes of the request body have found their way: the client may send as many more. */
    void (*request_consumed)(void *client, size_t length);
};

/*
 * A complete head. `request`, `connection` and `arena` outlive the exchange. The answer comes
 * through `table`; the caller owns the exchange and ends it with exchange_end, in every case.
 */
struct exchange *exchange_start(struct exchange_environment *environment,
                                const struct exchange_client *table, void *client,
                                const struct exchange_connection *connection,
                                struct request_head *request, struct arena *arena);

/* Bytes of the request body; `source` as in byte_queue_append_slice. */
void exchange_request_body(struct exchange *exchange, struct buffer *source, const char *data,
                           size_t length);

/* The request is complete. Trailers (borrowed, arena) may be NULL. */
void exchange_request_end(struct exchange *exchange, const struct headers *trailers);

/* The client broke a rule of its protocol or a limit: a local reply, or, when the answer has
 * started, a cut one. */
void exchange_give_up_on_client(struct exchange *exchange, int status, const char *detail);

/* `length` bytes of the answer's body have left for the client. */
void exchange_response_consumed(struct exchange *exchange, size_t length);

/*
 * The environment has a new current lease: exchanges that wait are planned again under it, those
 * whose module is still frozen go on waiting.
 */
void exchange_resume_waiting(struct exchange_environment *environment);

/* The same for tunnels: those that would go elsewhere now are left alone or given notice, as their
 * route says. */
void exchange_review_tunnels(struct exchange_environment *environment);

/* The client's stream is over, completely answered or not. No call into the client after this. */
void exchange_end(struct exchange *exchange);

#endif
