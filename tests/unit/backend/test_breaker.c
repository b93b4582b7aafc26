/* Places lent to workers: never more than the limit, and never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/backend/breaker.h"
#include "proxy/core/check.h"

enum { WORKERS = 3, WAITERS = 5 };

struct waiter {
    struct breaker_waiter base;
    struct fixture *fixture;
    bool in;
};

struct fixture {
    struct loop loop;
    struct breaker breaker;
    struct breaker_share shares[WORKERS];
    struct breaker_limits limits;
    struct waiter waiters[WAITERS];
    int order[WAITERS];
    int let_in;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){.limits = {.most = {10, 10, 3}}};
    loop_init(&f->loop);
    for (int i = 0; i < WORKERS; i++)
        breaker_share_init(&f->shares[i], &f->breaker, &f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < WORKERS; i++)
        breaker_share_done(&f->shares[i]);
    for (int i = 0; i < BREAKER_LIMIT_COUNT; i++)
        assert_int_equal(atomic_load(&f->breaker.lent[i]), 0);
    loop_done(&f->loop);
    return 0;
}

static bool take(struct fixture *f, int worker)
{
    return breaker_take(&f->shares[worker], BREAKER_IN_FLIGHT, &f->limits);
}

static void give(struct fixture *f, int worker, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        breaker_give(&f->shares[worker], BREAKER_IN_FLIGHT);
}

static uint32_t take_all(struct fixture *f, int worker)
{
    uint32_t taken = 0;
    while (take(f, worker))
        taken++;
    return taken;
}

static void one_worker_gets_all_that_there_is(void **state)
{
    struct fixture *f = *state;
    for (uint32_t most = 1; most < 3000; most = most * 3 + 1) {
        f->limits.most[BREAKER_IN_FLIGHT] = most;
        assert_int_equal(take_all(f, 0), most);
        assert_false(take(f, 1));
        give(f, 0, most);
    }
}

static void together_they_never_have_more_than_the_limit(void **state)
{
    struct fixture *f = *state;
    static const uint32_t limits[] = {1, 2, 7, 64, 100, 1024, 5000};
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint32_t used[WORKERS] = {0};
        uint32_t sum = 0;
        f->limits.most[BREAKER_IN_FLIGHT] = limits[i];
        for (int step = 0; step < 100000; step++) {
            random = random * 1103515245 + 12345;
            int worker = (int)(random >> 16) % WORKERS;
            if ((random >> 28) < 9 && take(f, worker)) {
                used[worker]++;
                sum++;
            } else if (used[worker] > 0) {
                give(f, worker, 1);
                used[worker]--;
                sum--;
            }
            assert_true(sum <= limits[i]);
        }
        for (int worker = 0; worker < WORKERS; worker++)
            give(f, worker, used[worker]);
    }
}

static void an_idle_worker_keeps_little_from_the_others(void **state)
{
    struct fixture *f = *state;
    f->limits.most[BREAKER_IN_FLIGHT] = 1024;
    uint32_t taken = take_all(f, 0);
    give(f, 0, taken);
    taken = take_all(f, 1);
    assert_in_range(taken, 1024 - 31, 1024);
    give(f, 1, taken);
    f->limits.most[BREAKER_IN_FLIGHT] = 10; /* of few places none */
    give(f, 0, take_all(f, 0));
    assert_int_equal(take_all(f, 1), 10);
    give(f, 1, 10);
}

static void a_lower_limit_holds_at_once(void **state)
{
    struct fixture *f = *state;
    f->limits.most[BREAKER_IN_FLIGHT] = 1024;
    for (int i = 0; i < 20; i++)
        assert_true(take(f, 0));
    f->limits.most[BREAKER_IN_FLIGHT] = 5;
    assert_false(take(f, 0));
    give(f, 0, 16);
    assert_true(take(f, 0));
    assert_false(take(f, 0));
    give(f, 0, 5);
}

static bool on_room(struct breaker_waiter *base)
{
    struct waiter *waiter = LIST_ENTRY(base, struct waiter, base);
    struct fixture *f = waiter->fixture;
    if (!take(f, 0))
        return false;
    breaker_stop_waiting(base);
    waiter->in = true;
    f->order[f->let_in++] = (int)(waiter - f->waiters);
    return true;
}

static bool start_waiting(struct fixture *f, int index)
{
    struct waiter *waiter = &f->waiters[index];
    waiter->fixture = f;
    breaker_waiter_init(&waiter->base, on_room);
    return breaker_wait(&f->shares[0], &waiter->base, &f->limits);
}

static void waiters_are_let_in_in_their_order(void **state)
{
    struct fixture *f = *state;
    f->limits.most[BREAKER_IN_FLIGHT] = 2;
    assert_int_equal(take_all(f, 0), 2);
    for (int i = 0; i < 3; i++)
        assert_true(start_waiting(f, i));
    assert_false(start_waiting(f, 3)); /* three may wait */
    assert_int_equal(atomic_load(&f->breaker.reached[BREAKER_PENDING]), 1);
    give(f, 0, 1);
    loop_run_tasks(&f->loop);
    assert_true(f->waiters[0].in && !f->waiters[1].in);
    breaker_stop_waiting(&f->waiters[1].base); /* had enough */
    breaker_stop_waiting(&f->waiters[1].base);
    assert_true(start_waiting(f, 4));
    give(f, 0, 2);
    loop_run_tasks(&f->loop);
    assert_int_equal(f->let_in, 3);
    assert_true(f->order[0] == 0 && f->order[1] == 2 && f->order[2] == 4);
    give(f, 0, 2);
}

static void what_another_worker_gives_back_is_found_soon(void **state)
{
    struct fixture *f = *state;
    f->limits.most[BREAKER_IN_FLIGHT] = 1;
    assert_true(take(f, 1));
    assert_true(start_waiting(f, 0));
    give(f, 1, 1);
    loop_run_tasks(&f->loop); /* nobody told this worker */
    while (!f->waiters[0].in)
        ev_run(f->loop.ev, EVRUN_ONCE);
    give(f, 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_worker_gets_all_that_there_is),
        TEST(together_they_never_have_more_than_the_limit),
        TEST(an_idle_worker_keeps_little_from_the_others),
        TEST(a_lower_limit_holds_at_once),
        TEST(waiters_are_let_in_in_their_order),
        TEST(what_another_worker_gives_back_is_found_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
