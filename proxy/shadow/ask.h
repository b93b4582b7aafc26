/*
 * One question of our own to a backend: a request that no client waits for, with a deadline, and a
 * bounded copy of its answer. Never retried. One worker's thread.
 */
#ifndef SHADOW_ASK_H
#define SHADOW_ASK_H

#include "proxy/backend/balancer.h"
#include "proxy/shadow/capture.h"

/* What all asks of one owner have in common; outlives them. */
struct ask_context {
    struct io *io;
    struct backend_pools *pools;
    struct strview body;          /* the whole request body */
    struct shadow_memory *memory; /* for heads and streams */
    uint64_t timeout_ms;
    uint64_t random;
};

enum ask_end {
    ASK_ANSWERED, /* the capture has it, whole or cut off */
    ASK_NOT_SENT, /* no endpoint could be reached */
    ASK_LATE,     /* nor within the time limit */
    ASK_FAILED    /* sent, and no answer, or none to its end */
};

/* Whom to ask what, and where the answer goes; all of it outlives the ask. */
struct ask_options {
    const struct backend *backend;
    const struct backend_request *request;
    struct capture *capture;
    uint32_t pipeline; /* so many may be on one connection of HTTP/1.1 at once; 0 as 1 */
    void *owner;
};

struct ask {
    const struct ask_context *context;
    struct ask_options options;
    struct backend_stream *stream;
    struct deadline deadline;
    struct task over; /* the end is told in a turn of its own */
    size_t given;     /* bytes of the body, */
    size_t consumed;  /* and how many of them have left */
    uint64_t began_us;
    enum ask_end end;
    void (*on_end)(struct ask *ask);
};

/* on_end comes exactly once, never inside this call, unless the ask is cancelled. */
void ask_start(struct ask *ask, const struct ask_context *context,
               const struct ask_options *options, void (*on_end)(struct ask *ask));

/* No event comes after this. Nothing happens when it has ended. */
void ask_cancel(struct ask *ask);

#endif
