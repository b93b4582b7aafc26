/*
 * A write whose module is frozen waits here, its body held back by flow control, until the next
 * snapshot says where writes go. It never waits long: a client is told to come again instead.
 */
#include "proxy/exchange/exchange_internal.h"

enum { WAIT_MS = 5000, GIVE_VECTORS = 16 };

static void on_wait_expired(struct deadline *deadline)
{
    struct exchange *exchange = LIST_ENTRY(deadline, struct exchange, wait);
    exchange_reply_locally(exchange, 503, "Writes are held at the moment; try again soon.");
}

void exchange_wait(struct exchange *exchange)
{
    struct exchange_environment *environment = exchange->environment;
    bool again = !list_is_empty(&exchange->waiting);
    exchange_set_state(exchange, EXCHANGE_WAITING);
    if (again) /* still frozen under a newer snapshot: the time goes on */
        return;
    list_append(&environment->waiting, &exchange->waiting);
    deadline_init(&exchange->wait, on_wait_expired);
    deadline_start(&environment->io->loop, &exchange->wait, WAIT_MS);
}

static void leave_list(struct exchange *exchange)
{
    if (list_is_empty(&exchange->waiting))
        return;
    list_remove(&exchange->waiting);
    deadline_stop(&exchange->wait);
}

void exchange_stop_waiting(struct exchange *exchange)
{
    leave_list(exchange);
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

static void resume(struct exchange *exchange)
{
    struct snapshot_lease *old = exchange->lease;
    exchange->lease = snapshot_lease_hold(exchange->environment->lease);
    exchange_proceed(exchange);
    snapshot_lease_drop(old);
    if (exchange->state != EXCHANGE_FORWARDING)
        return;                             /* refused, or still waiting */
    if (exchange->tunnel == TUNNEL_ASKED) { /* held until it is open */
        leave_list(exchange);
        return;
    }
    exchange_give_held_body(exchange);
    exchange_stop_waiting(exchange);
    if (exchange->request_ended && exchange->request->has_body)
        exchange_send_end(exchange);
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
