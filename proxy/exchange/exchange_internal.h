/* The exchange from inside: shared by the files of this folder that make it up. */
#ifndef EXCHANGE_EXCHANGE_INTERNAL_H
#define EXCHANGE_EXCHANGE_INTERNAL_H

#include "proxy/core/byte_queue.h"
#include "proxy/exchange/exchange.h"

enum exchange_state {
    EXCHANGE_RECEIVING,
    EXCHANGE_PLANNED,
    EXCHANGE_WAITING,
    EXCHANGE_FORWARDING,
    EXCHANGE_RESPONDING,
    EXCHANGE_REPLYING_LOCALLY,
    EXCHANGE_FINISHED,
    EXCHANGE_FAILED,
    EXCHANGE_STATE_COUNT
};

/* Of a request that asks for a WebSocket. */
enum tunnel_state {
    TUNNEL_NONE,
    TUNNEL_ASKED,
    TUNNEL_OPEN,
    TUNNEL_HALF_OPEN, /* the endpoint has ended its side */
};

struct exchange {
    enum exchange_state state;
    struct exchange_environment *environment;
    struct snapshot_lease *lease;
    const struct exchange_client *table;
    void *client;
    const struct exchange_connection *connection;
    struct arena *arena;

    /* the request and what was decided */
    struct request_head *request;
    struct ip_address address; /* of the client, seen through trusted proxies */
    struct strview address_text;
    bool trusted;
    struct plan plan;
    struct strview request_id;
    struct strview traceparent;

    /* while its module's writes are frozen, or its backend has no room */
    bool waits;                  /* else what follows means nothing */
    struct list waiting;         /* for a new snapshot */
    struct breaker_waiter room;  /* for room */
    struct byte_queue held_body; /* see exchange_holds_body; the client's window bounds it. Without
                                    a pool: nothing is held */
    struct deadline wait;
    const struct headers *request_trailers;
    bool counted_as_write; /* in the lease */

    /* the attempt under way */
    const struct backend *backend; /* NULL: none was chosen */
    struct endpoint_state *endpoint;
    struct backend_pool *pool;     /* of the endpoint */
    struct backend_stream *stream; /* NULL: none is open */
    struct backend_request backend_request;
    struct headers forwarded;
    struct timeouts timeouts;
    uint32_t attempts;
    uint32_t retries; /* attempts less the first and the fallback */
    bool found_stale; /* a kept connection ended under the request */
    uint64_t attempt_began_us;

    struct shadow *shadow; /* its copy for the other side; NULL: none */
    bool shadowed;         /* there was one */

    /* the request body */
    bool request_ended;
    bool body_given;     /* a byte went to an endpoint: no second attempt */
    bool end_given;      /* for an empty body: perhaps more than once */
    size_t request_held; /* bytes given to the endpoint's stream and not consumed yet */
    uint64_t request_bytes;

    enum tunnel_state tunnel;
    struct list tunnels;    /* in the environment's list, while it may be given notice */
    struct deadline notice; /* until it has to go */

    /* the answer */
    struct response_head response; /* as the client gets it */
    struct strview location;       /* of a redirect of ours */
    struct headers trailers;
    bool answer_started;
    size_t response_held; /* bytes given to the client and not consumed yet */
    uint64_t response_bytes;

    uint64_t began_us;
    uint64_t first_byte_us; /* since began_us; 0: none yet */
    struct deadline
        progress; /* first byte, then silence in the answer or a client that does not read */
    struct deadline total;
    struct deadline body;     /* silence in the request body */
    struct deadline patience; /* with the side that another could answer in place of */
};

static inline struct snapshot *exchange_snapshot(const struct exchange *exchange)
{
    return exchange->lease->snapshot;
}

void exchange_set_state(struct exchange *exchange, enum exchange_state state);

/* --- exchange.c ---------------------------------------------------------------------------- */

/* Plans under the current lease and goes on: forwards, replies, or waits. */
void exchange_proceed(struct exchange *exchange);

/* The request is complete: says so to the endpoint. */
void exchange_send_end(struct exchange *exchange);

/* Answers in the proxy's own name; only before the answer has started. */
void exchange_reply_locally(struct exchange *exchange, int status, const char *detail);

/* --- exchange_forward.c -------------------------------------------------------------------- */

/* The planned backend, and how long it may take. */
void exchange_choose_backend(struct exchange *exchange);

/* Opens a stream to an endpoint of the planned backend: the first attempt or another one. */
void exchange_forward(struct exchange *exchange);

/* The first attempt of one that waits for room; false when there still is none. */
bool exchange_forward_waiting(struct exchange *exchange);

/* Asks legacy in the place of extracted. */
void exchange_fall_back(struct exchange *exchange);

/* --- exchange_shadow.c --------------------------------------------------------------------- */

/* The plan says shadow: begins the copy, before the request itself is sent. */
void exchange_begin_shadow(struct exchange *exchange);

/* The copy goes on by itself; nothing happens when there is none. */
void exchange_let_shadow_go(struct exchange *exchange);

/* --- exchange_wait.c ----------------------------------------------------------------------- */

/* The plan says freeze: waits for a new snapshot, or for the limit. */
void exchange_wait(struct exchange *exchange);

/* The backend has no room: waits for that, or is refused when too many wait. */
void exchange_wait_for_room(struct exchange *exchange);

/* No room came in time: legacy in the place of extracted, or a reply. Nothing happens when it does
 * not wait for room. */
void exchange_wait_in_vain(struct exchange *exchange, enum backend_fault fault);

/* Leaves the queue; nothing happens when it does not wait. */
void exchange_stop_waiting(struct exchange *exchange);

/* Is the body kept back? While there is nobody to give it to, a tunnel is not open, or a connection
 * is being made: so that another endpoint may get it if that cannot be. */
static inline bool exchange_holds_body(const struct exchange *exchange)
{
    return exchange->state == EXCHANGE_WAITING || exchange->tunnel == TUNNEL_ASKED ||
           (exchange->stream != NULL && exchange->stream->connecting);
}

/* Keeps bytes of the body back. */
void exchange_hold_body(struct exchange *exchange, struct buffer *source, const char *data,
                        size_t length);

/* Everything that was kept back goes to the endpoint. */
void exchange_give_held_body(struct exchange *exchange);

/* There is an endpoint: what was kept back goes there, and the end if it has come; unless they have
 * to be kept back still. */
void exchange_body_goes_on(struct exchange *exchange);

/* Nothing is kept back any more; what was goes nowhere. */
void exchange_drop_held_body(struct exchange *exchange);

/* --- exchange_answer.c --------------------------------------------------------------------- */

extern const struct backend_stream_events exchange_stream_events;

/* --- exchange_https.c ---------------------------------------------------------------------- */

/* True: the client was sent to the listener that speaks TLS. */
bool exchange_redirects(struct exchange *exchange);

/* The answer says that this host is for TLS only. */
void exchange_add_hsts(struct exchange *exchange);

/* The answer's head as the client gets it, with what it lacks. */
void exchange_send_head(struct exchange *exchange);

/* Closes the backend's stream, if there is one; the second because the client has gone from it. */
void exchange_close_stream(struct exchange *exchange);
void exchange_withdraw_stream(struct exchange *exchange);

/* --- exchange_failure.c -------------------------------------------------------------------- */

/* The attempt came to nothing: another one, a local reply, or a cut answer. */
void exchange_attempt_failed(struct exchange *exchange, enum backend_fault fault, bool unprocessed,
                             bool reused);

/* There was nobody to ask. */
void exchange_not_sent(struct exchange *exchange, enum backend_fault fault);

/* The endpoint answers that it cannot. True: another attempt is under way, and the answer is gone.
 */
bool exchange_replace_answer(struct exchange *exchange, int status);

/* May the other side still answer for this one? Not in place of a tunnel. */
bool exchange_may_fall_back(const struct exchange *exchange);

/* The endpoint has not answered for as long as the module waits for it. */
void exchange_lose_patience(struct exchange *exchange);

/* --- exchange_tunnel.c --------------------------------------------------------------------- */

/* Is it a request for a WebSocket, and can it be one? False: it was refused. */
bool exchange_may_tunnel(struct exchange *exchange);

/* Makes the endpoint's request one for an Upgrade, if there may be a tunnel. */
void exchange_ask_for_tunnel(struct exchange *exchange);

/* The endpoint has said 101, and the client knows it. */
void exchange_take_tunnel(struct exchange *exchange);

/* It was answered in another way. */
void exchange_leave_tunnel(struct exchange *exchange);

/* Nobody gives it notice any more. */
void exchange_forget_tunnel(struct exchange *exchange);

/* The endpoint has ended its side. */
void exchange_tunnel_ended(struct exchange *exchange);

/* Something moved in the tunnel, or ended: over when both sides have. */
void exchange_tunnel_progress(struct exchange *exchange);

/* --- exchange_cookies.c -------------------------------------------------------------------- */

/* Adds our own cookies to the answer's head: an assigned identity, and the pin of a write. */
void exchange_add_cookies(struct exchange *exchange);

/* --- exchange_deadlines.c ------------------------------------------------------------------ */

void exchange_deadlines_init(struct exchange *exchange);
void exchange_deadlines_stop(struct exchange *exchange);

/* Something moved in the answer, or the attempt began: the wait for progress starts again. */
void exchange_progress(struct exchange *exchange);

/* The client sent something, or may send again. */
void exchange_body_progress(struct exchange *exchange);

/* --- exchange_record.c --------------------------------------------------------------------- */

/* Counts and logs the exchange, once, at its end. */
void exchange_record(const struct exchange *exchange);
void exchange_record_fault(const struct exchange *exchange, enum backend_fault fault);

#endif
