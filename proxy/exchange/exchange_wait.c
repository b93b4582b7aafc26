/*
 * What cannot go on at once waits here, its body held back by flow control: a write whose module is
 * frozen, until the next snapshot says where writes go, and a request whose backend has no room for
 * it. Neither waits long: a client is told to come again instead.
 */
#include "proxy/exchange/exchange_internal.h"

enum { FREEZE_WAIT_MS = 5000, ROOM_WAIT_MS = 1000, GIVE_VECTORS = 16 };

static bool on_room(struct breaker_waiter *waiter);

/* Nothing is lost of a wait that was begun for something else. */
static void begin_wait(struct exchange *exchange)
{
    if (exchange->state != EXCHANGE_WAITING)
        exchange_set_state(exchange, EXCHANGE_WAITING);
    if (exchange->waits)
        return;
    exchange->waits = true;
    list_init(&exchange->waiting);
    breaker_waiter_init(&exchange->room, on_room);
    deadline_init(&exchange->wait, NULL);
}

static void limit_wait(struct exchange *exchange, uint64_t limit_ms,
                       void (*on_expired)(struct deadline *deadline))
{
    deadline_stop(&exchange->wait);
    deadline_init(&exchange->wait, on_expired);
    deadline_start(&exchange->environment->io->loop, &exchange->wait, limit_ms);
}

static void on_freeze_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, wait);
    exchange_reply_locally(exchange, 503, "Writes are held at the moment; try again soon.");
}

void exchange_wait(struct exchange *exchange)
{
    begin_wait(exchange);
    if (!list_is_empty(&exchange->waiting))
        return; /* still frozen under a newer snapshot: the time goes on */
    list_append(&exchange->environment->waiting, &exchange->waiting);
    limit_wait(exchange, FREEZE_WAIT_MS, on_freeze_expired);
}

static void leave_queue(struct exchange *exchange)
{
    if (!exchange->waits)
        return;
    exchange->waits = false;
    list_remove(&exchange->waiting);
    breaker_stop_waiting(&exchange->room);
    deadline_stop(&exchange->wait);
}

/* --- room ------------------------------------------------------------------------------------ */

/* What came meanwhile goes to the endpoint, if there is one now, and the wait is over. */
static void go_on(struct exchange *exchange)
{
    if (exchange->state != EXCHANGE_FORWARDING)
        return; /* answered, or waits on */
    leave_queue(exchange);
    exchange_body_goes_on(exchange);
}

void exchange_wait_in_vain(struct exchange *exchange, enum backend_fault fault)
{
    if (exchange->room.share == NULL)
        return;
    exchange_not_sent(exchange, fault);
    go_on(exchange);
}

static void on_room_expired(struct deadline *deadline)
{
    exchange_wait_in_vain(LIST_ENTRY(deadline, struct exchange, wait), BACKEND_FAULT_OVERLOAD);
}

static bool on_room(struct breaker_waiter *waiter)
{
    struct exchange *exchange = LIST_ENTRY(waiter, struct exchange, room);
    if (!exchange_forward_waiting(exchange))
        return false;
    go_on(exchange);
    return true;
}

void exchange_wait_for_room(struct exchange *exchange)
{
    int64_t limit_ms = exchange->timeouts.connect_ms;
    begin_wait(exchange);
    breaker_stop_waiting(&exchange->room); /* for another backend's */
    list_remove(&exchange->waiting);
    const struct backend *backend = exchange->backend;
    struct breaker_share *share =
        backend_pools_share(exchange->environment->pools, backend->breaker);
    if (!breaker_wait(share, &exchange->room, &backend->limits)) {
        exchange_not_sent(exchange, BACKEND_FAULT_OVERLOAD);
        go_on(exchange);
        return;
    }
    deadline_stop(&exchange->body); /* it is us who let the client wait */
    limit_wait(exchange, limit_ms > 0 ? (uint64_t)limit_ms : ROOM_WAIT_MS, on_room_expired);
}

/* --- the end of waiting ---------------------------------------------------------------------- */

void exchange_stop_waiting(struct exchange *exchange)
{
    leave_queue(exchange);
    exchange_drop_held_body(exchange);
}

void exchange_hold_body(struct exchange *exchange, struct buffer *source, const char *data,
                        size_t length)
{
    if (exchange->held_body.pool == NULL)
        byte_queue_init(&exchange->held_body, &exchange->environment->io->buffers);
    byte_queue_append_slice(&exchange->held_body, source, data, length);
}

void exchange_drop_held_body(struct exchange *exchange)
{
    struct byte_queue *held = &exchange->held_body;
    size_t length = held->bytes;
    if (held->pool == NULL)
        return;
    byte_queue_done(held);
    *held = (struct byte_queue){.pool = NULL};
    if (length > 0)
        exchange->table->request_consumed(exchange->client, length);
}

void exchange_give_held_body(struct exchange *exchange)
{
    struct byte_queue *held = &exchange->held_body;
    while (held->bytes > 0 && exchange->stream != NULL) {
        struct iovec vectors[GIVE_VECTORS];
        int count = byte_queue_peek(held, vectors, GIVE_VECTORS);
        size_t given = 0;
        for (int i = 0; i < count; i++) {
            exchange->request_held += vectors[i].iov_len;
            if (exchange->shadow != NULL)
                shadow_request_body(exchange->shadow, vectors[i].iov_base, vectors[i].iov_len);
            backend_stream_send_body(exchange->stream, NULL, vectors[i].iov_base,
                                     vectors[i].iov_len);
            given += vectors[i].iov_len;
        }
        exchange->body_given = true;
        byte_queue_consume(held, given);
    }
}

void exchange_body_goes_on(struct exchange *exchange)
{
    if (exchange->stream == NULL || exchange_holds_body(exchange))
        return;
    exchange_give_held_body(exchange);
    exchange_drop_held_body(exchange);
    exchange_body_progress(exchange);
    if (exchange->request_ended && exchange->request->has_body)
        exchange_send_end(exchange);
}

static void resume(struct exchange *exchange)
{
    struct snapshot_lease *old = exchange->lease;
    exchange->lease = snapshot_lease_hold(exchange->environment->lease);
    exchange_proceed(exchange);
    snapshot_lease_drop(old);
    go_on(exchange);
}

void exchange_resume_waiting(struct exchange_environment *environment)
{
    /* Once around: those that go on waiting are at the end then, in their old order. */
    struct list *waiting = &environment->waiting;
    struct list *last = waiting->previous;
    bool more = !list_is_empty(waiting);
    while (more) {
        struct list *first = waiting->next;
        more = first != last;
        list_remove(first);
        list_append(waiting, first);
        resume(LIST_ENTRY(first, struct exchange, waiting));
    }
}
