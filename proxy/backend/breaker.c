#include "proxy/backend/breaker.h"

#include "proxy/core/check.h"

enum {
    LOTS = 64, /* a limit is lent in so many parts, so that no worker sits on many places */
    LOT_MAX = 32,
    LOOK_AGAIN_MS = 10,
};

struct strview breaker_limit_name(enum breaker_limit limit)
{
    static const char *const names[BREAKER_LIMIT_COUNT] = {
        [BREAKER_IN_FLIGHT] = "in_flight",
        [BREAKER_CONNECTIONS] = "connections",
        [BREAKER_PENDING] = "pending",
    };
    return strview_of(names[limit]);
}

/* --- places ---------------------------------------------------------------------------------- */

void breaker_give_back(struct breaker_share *share, enum breaker_limit limit, uint32_t places)
{
    share->quotas[limit].borrowed -= places;
    atomic_fetch_sub_explicit(&share->breaker->lent[limit], places, memory_order_relaxed);
}

/* A reload has changed the limit: spare places belong to the old one. */
static void change_limit(struct breaker_share *share, enum breaker_limit limit, uint32_t most)
{
    struct breaker_quota *quota = &share->quotas[limit];
    uint32_t lot = most / LOTS < LOT_MAX ? most / LOTS : LOT_MAX;
    quota->limit = most;
    quota->lot = lot > 0 ? lot : 1;
    quota->spare = 2 * quota->lot - 1; /* so that one request more or less moves none */
    breaker_give_back(share, limit, quota->borrowed - quota->used);
}

bool breaker_borrow(struct breaker_share *share, enum breaker_limit limit, uint32_t most)
{
    struct breaker_quota *quota = &share->quotas[limit];
    _Atomic uint32_t *shared = &share->breaker->lent[limit];
    if (quota->limit != most)
        change_limit(share, limit, most);
    uint32_t lent = atomic_load_explicit(shared, memory_order_relaxed);
    uint32_t places;
    do {
        if (lent >= most)
            return false;
        places = quota->lot < most - lent ? quota->lot : most - lent;
    } while (!atomic_compare_exchange_weak_explicit(shared, &lent, lent + places,
                                                    memory_order_relaxed, memory_order_relaxed));
    quota->borrowed += places;
    quota->used++;
    return true;
}

/* --- waiting --------------------------------------------------------------------------------- */

static void let_in(struct breaker_share *share)
{
    while (breaker_has_waiters(share)) {
        struct breaker_waiter *first = LIST_ENTRY(share->waiters.next, struct breaker_waiter, node);
        if (!first->on_room(first))
            break;
        CHECK(share->waiters.next != &first->node);
    }
    deadline_start(share->loop, &share->look_again, breaker_has_waiters(share) ? LOOK_AGAIN_MS : 0);
}

static void run_wake(struct task *task)
{
    let_in(LIST_ENTRY(task, struct breaker_share, wake));
}

static void on_look_again(struct deadline *deadline)
{
    let_in(LIST_ENTRY(deadline, struct breaker_share, look_again));
}

bool breaker_wait(struct breaker_share *share, struct breaker_waiter *waiter,
                  const struct breaker_limits *limits)
{
    if (!breaker_take(share, BREAKER_PENDING, limits)) {
        breaker_count_reached(share, BREAKER_PENDING);
        return false;
    }
    waiter->share = share;
    list_append(&share->waiters, &waiter->node);
    if (!deadline_is_running(&share->look_again))
        deadline_start(share->loop, &share->look_again, LOOK_AGAIN_MS);
    return true;
}

void breaker_stop_waiting(struct breaker_waiter *waiter)
{
    if (waiter->share == NULL)
        return;
    list_remove(&waiter->node);
    breaker_untake(waiter->share, BREAKER_PENDING);
    waiter->share = NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

void breaker_share_init(struct breaker_share *share, struct breaker *breaker, struct loop *loop)
{
    *share = (struct breaker_share){.breaker = breaker, .loop = loop};
    list_init(&share->waiters);
    task_init(&share->wake, run_wake);
    deadline_init(&share->look_again, on_look_again);
}

void breaker_share_done(struct breaker_share *share)
{
    task_cancel(&share->wake);
    deadline_stop(&share->look_again);
    for (int i = 0; i < BREAKER_LIMIT_COUNT; i++) {
        CHECK(share->quotas[i].used == 0);
        breaker_give_back(share, (enum breaker_limit)i, share->quotas[i].borrowed);
    }
}
