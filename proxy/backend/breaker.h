/*
 * How much one backend is given to do at once: requests in flight, connections, and requests that
 * wait for room. The limits hold for all workers together, and yet a worker hardly ever touches
 * what they share: it borrows places in small lots and gives back what it does not need.
 *
 * A breaker is shared and lives in the endpoint_registry for the life of the process. A share is
 * one worker's, and one thread's.
 */
#ifndef BACKEND_BREAKER_H
#define BACKEND_BREAKER_H

#include <stdatomic.h>

#include "proxy/core/strview.h"
#include "proxy/net/loop.h"

enum breaker_limit {
    BREAKER_IN_FLIGHT,
    BREAKER_CONNECTIONS, /* unused ones that are kept count, too */
    BREAKER_PENDING,
    BREAKER_LIMIT_COUNT
};

/* "in_flight", "connections", "pending" */
struct strview breaker_limit_name(enum breaker_limit limit);

/* Part of a backend's configuration. */
struct breaker_limits {
    uint32_t most[BREAKER_LIMIT_COUNT];
};

struct breaker {
    uint32_t id; /* dense, from 0: the index of each worker's share */
    struct strview backend_name;
    _Atomic uint32_t lent[BREAKER_LIMIT_COUNT];    /* to all workers */
    _Atomic uint64_t reached[BREAKER_LIMIT_COUNT]; /* requests that found no place */
};

struct breaker_quota {
    uint32_t borrowed;
    uint32_t used;  /* of these */
    uint32_t limit; /* that the next two were computed for */
    uint32_t lot;
    uint32_t spare; /* with so many unused, a lot goes back */
};

struct breaker_share {
    struct breaker *breaker;
    struct loop *loop;
    struct breaker_quota quotas[BREAKER_LIMIT_COUNT];
    struct list waiters;
    struct task wake;
    struct deadline look_again; /* other workers give places back, too, and do not say so */
};

void breaker_share_init(struct breaker_share *share, struct breaker *breaker, struct loop *loop);

/* Everything has been given back. */
void breaker_share_done(struct breaker_share *share);

/* The slow part of breaker_take. */
bool breaker_borrow(struct breaker_share *share, enum breaker_limit limit, uint32_t most);

/* A request found no place: counted once for each, however often it asks. */
static inline void breaker_count_reached(struct breaker_share *share, enum breaker_limit limit)
{
    atomic_fetch_add_explicit(&share->breaker->reached[limit], 1, memory_order_relaxed);
}

/* One place; false when there is none. */
static inline bool breaker_take(struct breaker_share *share, enum breaker_limit limit,
                                const struct breaker_limits *limits)
{
    struct breaker_quota *quota = &share->quotas[limit];
    uint32_t most = limits->most[limit];
    if (quota->used >= quota->borrowed || quota->limit != most)
        return breaker_borrow(share, limit, most);
    quota->used++;
    return true;
}

/* The slow part of breaker_untake. */
void breaker_give_back(struct breaker_share *share, enum breaker_limit limit, uint32_t places);

/* The place was not needed after all: nothing has changed for those that wait. */
static inline void breaker_untake(struct breaker_share *share, enum breaker_limit limit)
{
    struct breaker_quota *quota = &share->quotas[limit];
    quota->used--;
    if (quota->borrowed - quota->used >= quota->spare)
        breaker_give_back(share, limit, quota->lot);
}

/* Waits for room, in order. Embedded in its owner. */
struct breaker_waiter {
    struct list node;
    struct breaker_share *share; /* where it waits; NULL: nowhere */
    /* There may be room now: true when the waiter has stopped waiting, false when there is none. */
    bool (*on_room)(struct breaker_waiter *waiter);
};

static inline void breaker_waiter_init(struct breaker_waiter *waiter,
                                       bool (*on_room)(struct breaker_waiter *waiter))
{
    list_init(&waiter->node);
    waiter->share = NULL;
    waiter->on_room = on_room;
}

static inline bool breaker_has_waiters(const struct breaker_share *share)
{
    return !list_is_empty(&share->waiters);
}

/* The place is free again; who waits for it is told at the end of the turn. */
static inline void breaker_give(struct breaker_share *share, enum breaker_limit limit)
{
    breaker_untake(share, limit);
    if (breaker_has_waiters(share))
        task_schedule(share->loop, &share->wake);
}

/* False when too many wait already. */
bool breaker_wait(struct breaker_share *share, struct breaker_waiter *waiter,
                  const struct breaker_limits *limits);

/* Nothing happens when it does not wait. */
void breaker_stop_waiting(struct breaker_waiter *waiter);

#endif
