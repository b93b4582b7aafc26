#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/loop.h"

enum { STEPS = 8, GUARD_MS = 20000 };

/* A loop with tasks and deadlines that write down their numbers as they run. */
struct fixture {
    struct loop loop;
    struct deadline guard;
    struct task tasks[STEPS];
    struct deadline deadlines[STEPS];
    uint64_t ran_ms[STEPS]; /* when each deadline expired */
    int ran[4 * STEPS];
    int ran_count;
    int break_after; /* how many steps the loop runs for */
    void (*on_step)(struct fixture *f, int number);
};

static struct fixture *fixture_of(struct fixture *set)
{
    static struct fixture *current;
    if (set != NULL)
        current = set;
    return current;
}

static void step(int number)
{
    struct fixture *f = fixture_of(NULL);
    assert_true(f->ran_count < 4 * STEPS);
    f->ran[f->ran_count++] = number;
    if (f->on_step != NULL)
        f->on_step(f, number);
    if (f->ran_count >= f->break_after)
        loop_break(&f->loop);
}

static void on_task(struct task *task)
{
    step((int)(task - fixture_of(NULL)->tasks));
}

static void on_deadline(struct deadline *deadline)
{
    struct fixture *f = fixture_of(NULL);
    int number = (int)(deadline - f->deadlines);
    f->ran_ms[number] = f->loop.now_ms;
    step(number);
}

static void on_guard(struct deadline *deadline)
{
    (void)deadline;
    loop_break(&fixture_of(NULL)->loop); /* the assertions behind will say what is missing */
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *f = (struct fixture){.break_after = 1};
    fixture_of(f);
    loop_init(&f->loop);
    deadline_init(&f->guard, on_guard);
    for (int i = 0; i < STEPS; i++) {
        task_init(&f->tasks[i], on_task);
        deadline_init(&f->deadlines[i], on_deadline);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_done(&f->loop);
    return 0;
}

static void run(struct fixture *f, int steps)
{
    f->ran_count = 0;
    f->break_after = steps;
    deadline_start(&f->loop, &f->guard, GUARD_MS);
    loop_run(&f->loop);
    deadline_stop(&f->guard);
}

static void assert_ran(const struct fixture *f, int count, const int *numbers)
{
    assert_int_equal(f->ran_count, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(f->ran[i], numbers[i]);
}

#define ASSERT_RAN(f, ...)                                                                         \
    assert_ran(f, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

static void tasks_run_once_in_the_order_in_which_they_were_scheduled(void **state)
{
    struct fixture *f = *state;
    static const int order[] = {2, 0, 1, 2, 0};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        task_schedule(&f->loop, &f->tasks[order[i]]);
    run(f, 3);
    ASSERT_RAN(f, 2, 0, 1);
    loop_run_tasks(&f->loop);
    ASSERT_RAN(f, 2, 0, 1);
}

static void schedule_more(struct fixture *f, int number)
{
    if (number == 0) {
        task_schedule_next_turn(&f->loop, &f->tasks[3]);
        task_schedule(&f->loop, &f->tasks[2]);
        task_schedule(&f->loop, &f->tasks[0]); /* itself */
        f->on_step = NULL;
    }
}

static void a_task_that_a_task_schedules_runs_in_the_same_turn(void **state)
{
    struct fixture *f = *state;
    f->on_step = schedule_more;
    task_schedule(&f->loop, &f->tasks[0]);
    task_schedule(&f->loop, &f->tasks[1]);
    run(f, 5);
    ASSERT_RAN(f, 0, 1, 2, 0, 3);
}

static void schedule_self_next_turn(struct fixture *f, int number)
{
    if (number == 0 && f->ran_count < 3)
        task_schedule_next_turn(&f->loop, &f->tasks[0]);
}

static void a_task_for_the_next_turn_does_not_wait_for_anything_else(void **state)
{
    struct fixture *f = *state;
    uint64_t began_ms = f->loop.now_ms;
    f->on_step = schedule_self_next_turn;
    task_schedule_next_turn(&f->loop, &f->tasks[0]);
    run(f, 3);
    ASSERT_RAN(f, 0, 0, 0);
    assert_true(f->loop.now_ms - began_ms < GUARD_MS);
}

static void go_on_three_times(struct fixture *f, int number)
{
    if (number == 1 && f->ran_count < 3)
        task_schedule_next_turn(&f->loop, &f->tasks[1]);
}

static void a_task_waits_for_leisure_as_long_as_there_is_something_else_to_do(void **state)
{
    struct fixture *f = *state;
    f->on_step = go_on_three_times;
    task_schedule_at_leisure(&f->loop, &f->tasks[0]);
    task_schedule_at_leisure(&f->loop, &f->tasks[2]);
    f->tasks[0].due_us = f->tasks[2].due_us = UINT64_MAX; /* however slow this machine is */
    task_schedule_next_turn(&f->loop, &f->tasks[1]);
    run(f, 5);
    ASSERT_RAN(f, 1, 1, 1, 0, 2);
}

static void be_busy(struct fixture *f, int number)
{
    assert_int_equal(usleep(LOOP_PATIENCE_US / 4), 0);
    if (number == 1)
        task_schedule_next_turn(&f->loop, &f->tasks[1]);
    else
        loop_break(&f->loop);
}

static void a_task_that_finds_no_leisure_does_not_wait_for_ever(void **state)
{
    struct fixture *f = *state;
    uint64_t began_us = f->loop.now_us;
    f->on_step = be_busy;
    task_schedule_next_turn(&f->loop, &f->tasks[1]);
    task_schedule_at_leisure(&f->loop, &f->tasks[0]);
    run(f, 4 * STEPS);
    assert_in_range(f->ran_count, 2, 4 * STEPS - 1);
    assert_int_equal(f->ran[f->ran_count - 1], 0);
    assert_true(f->loop.now_us - began_us >= LOOP_PATIENCE_US);
    task_cancel(&f->tasks[1]);
}

static void a_cancelled_task_does_not_run(void **state)
{
    struct fixture *f = *state;
    task_schedule(&f->loop, &f->tasks[0]);
    task_schedule(&f->loop, &f->tasks[1]);
    task_schedule_next_turn(&f->loop, &f->tasks[2]);
    task_schedule_next_turn(&f->loop, &f->tasks[3]);
    task_schedule_at_leisure(&f->loop, &f->tasks[5]);
    task_cancel(&f->tasks[0]);
    task_cancel(&f->tasks[2]);
    task_cancel(&f->tasks[5]);
    task_cancel(&f->tasks[4]); /* was not scheduled */
    run(f, 2);
    ASSERT_RAN(f, 1, 3);
}

static void deadlines_of_one_timeout_expire_in_the_order_in_which_they_began(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        deadline_start(&f->loop, &f->deadlines[i], 5);
    deadline_start(&f->loop, &f->deadlines[0], 5); /* to the same time: it keeps its place */
    deadline_stop(&f->deadlines[1]);
    deadline_start(&f->loop, &f->deadlines[1], 5); /* begins anew */
    deadline_stop(&f->deadlines[2]);
    assert_false(deadline_is_running(&f->deadlines[2]));
    assert_true(deadline_is_running(&f->deadlines[3]));
    run(f, 3);
    ASSERT_RAN(f, 0, 3, 1);
    assert_false(deadline_is_running(&f->deadlines[0]));
}

static void no_deadline_expires_before_its_time(void **state)
{
    struct fixture *f = *state;
    uint64_t began_ms = f->loop.now_ms;
    static const uint64_t timeouts_ms[] = {31, 1, 12, 7, 20};
    for (int i = 0; i < 5; i++)
        deadline_start(&f->loop, &f->deadlines[i], timeouts_ms[i]);
    run(f, 5);
    assert_int_equal(f->ran_count, 5);
    for (int i = 0; i < 5; i++)
        assert_in_range(f->ran_ms[i] - began_ms, timeouts_ms[i], GUARD_MS);
}

static void a_deadline_of_zero_never_expires(void **state)
{
    struct fixture *f = *state;
    deadline_start(&f->loop, &f->deadlines[0], 3);
    deadline_start(&f->loop, &f->deadlines[0], 0); /* takes the first one back */
    assert_false(deadline_is_running(&f->deadlines[0]));
    deadline_start(&f->loop, &f->deadlines[1], 10);
    run(f, 1);
    ASSERT_RAN(f, 1);
}

static void start_and_stop_others(struct fixture *f, int number)
{
    if (number == 0) {
        deadline_stop(&f->deadlines[1]); /* expires at the same time */
        deadline_start(&f->loop, &f->deadlines[0], 2);
        f->on_step = NULL;
    }
}

static void a_deadline_that_expires_may_start_itself_and_stop_others(void **state)
{
    struct fixture *f = *state;
    f->on_step = start_and_stop_others;
    for (int i = 0; i < 3; i++)
        deadline_start(&f->loop, &f->deadlines[i], 5);
    run(f, 3);
    ASSERT_RAN(f, 0, 2, 0);
}

static void a_deadline_that_moved_later_expires_later(void **state)
{
    struct fixture *f = *state;
    uint64_t began_ms = f->loop.now_ms;
    deadline_start(&f->loop, &f->deadlines[0], 2);
    deadline_start(&f->loop, &f->deadlines[0], 30);
    run(f, 1);
    assert_in_range(f->ran_ms[0] - began_ms, 30, GUARD_MS);
}

static void a_short_deadline_is_on_time_however_many_timeouts_are_in_use(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 2 * LOOP_DEADLINE_LISTS, LONG_MS = 1000000 };
    static struct deadline many[MANY];
    uint64_t began_ms = f->loop.now_ms;
    deadline_start(&f->loop, &f->deadlines[0], 4);
    for (int i = 0; i < MANY; i++) {
        deadline_init(&many[i], on_guard);
        deadline_start(&f->loop, &many[i], (uint64_t)(LONG_MS + i));
    }
    deadline_start(&f->loop, &f->deadlines[1], 4);
    deadline_start(&f->loop, &f->deadlines[2], 6); /* has no list of its own */
    run(f, 3);
    assert_int_equal(f->ran_count, 3);
    assert_in_range(f->ran_ms[1] - began_ms, 4, GUARD_MS - 1);
    assert_in_range(f->ran_ms[2] - began_ms, 6, GUARD_MS - 1);
    for (int i = 0; i < MANY; i++)
        deadline_stop(&many[i]);
}

static void the_clocks_of_a_turn_agree(void **state)
{
    struct fixture *f = *state;
    uint64_t before_us = f->loop.now_us;
    deadline_start(&f->loop, &f->deadlines[0], 5);
    run(f, 1);
    assert_int_equal(f->loop.now_us / 1000, f->loop.now_ms);
    assert_true(f->loop.now_us - before_us >= 4000);
    assert_true(f->loop.wall_ms > 1700000000000);
}

static void on_wake(struct loop *loop)
{
    struct fixture *f = fixture_of(NULL);
    assert_ptr_equal(loop, &f->loop);
    step(7);
}

static void *wake_from_outside(void *loop)
{
    for (int i = 0; i < 100; i++)
        loop_wake(loop);
    return NULL;
}

static void another_thread_can_wake_the_loop(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    f->loop.on_wake = on_wake;
    assert_int_equal(pthread_create(&thread, NULL, wake_from_outside, &f->loop), 0);
    run(f, 1);
    pthread_join(thread, NULL);
    ASSERT_RAN(f, 7);
}

static void on_readable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)events;
    ev_io_stop(ev, watcher);
    deadline_stop(&fixture_of(NULL)->deadlines[0]); /* it has come */
    step(6);
}

static void what_has_come_is_not_too_late_when_the_loop_is(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    ev_io readable;
    assert_int_equal(pipe(ends), 0);
    ev_io_init(&readable, on_readable, ends[0], EV_READ);
    ev_io_start(f->loop.ev, &readable);
    deadline_start(&f->loop, &f->deadlines[0], 1);
    deadline_start(&f->loop, &f->deadlines[1], 1);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(usleep(20000), 0); /* the loop stands still meanwhile */
    run(f, 2);
    ASSERT_RAN(f, 6, 1);
    close(ends[0]);
    close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tasks_run_once_in_the_order_in_which_they_were_scheduled),
        TEST(a_task_that_a_task_schedules_runs_in_the_same_turn),
        TEST(a_task_for_the_next_turn_does_not_wait_for_anything_else),
        TEST(a_task_waits_for_leisure_as_long_as_there_is_something_else_to_do),
        TEST(a_task_that_finds_no_leisure_does_not_wait_for_ever),
        TEST(a_cancelled_task_does_not_run),
        TEST(deadlines_of_one_timeout_expire_in_the_order_in_which_they_began),
        TEST(no_deadline_expires_before_its_time),
        TEST(a_deadline_of_zero_never_expires),
        TEST(a_deadline_that_expires_may_start_itself_and_stop_others),
        TEST(a_deadline_that_moved_later_expires_later),
        TEST(a_short_deadline_is_on_time_however_many_timeouts_are_in_use),
        TEST(the_clocks_of_a_turn_agree),
        TEST(what_has_come_is_not_too_late_when_the_loop_is),
        TEST(another_thread_can_wake_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
