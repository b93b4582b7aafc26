#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/backend/receive_window.h"

/* One whole window is delivered and consumed, in parts; true when it grew. */
static bool consume_window(struct receive_window *window)
{
    uint32_t size = window->size;
    bool grew = false;
    for (uint32_t done = 0; done < size; done += 16384) {
        uint32_t part = size - done < 16384 ? size - done : 16384;
        receive_window_delivered(window, part);
        grew |= receive_window_consumed(window, part);
    }
    return grew;
}

static void a_window_doubles_for_each_whole_one_consumed_up_to_its_maximum(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 100 * 1024 * 1024};
    struct receive_window window;
    receive_window_init(&window, &budget);
    assert_int_equal(window.size, 65535); /* what HTTP/2 streams begin with */
    static const uint32_t sizes[] = {128 * 1024, 256 * 1024 + 2, RECEIVE_WINDOW_MAX_BYTES};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_true(consume_window(&window));
        assert_int_equal(window.size, sizes[i]);
        assert_int_equal(budget.granted, window.size - RECEIVE_WINDOW_FIRST_BYTES);
    }
    for (int i = 0; i < 10; i++)
        assert_false(consume_window(&window));
    assert_int_equal(window.size, RECEIVE_WINDOW_MAX_BYTES);
    receive_window_done(&window);
    assert_int_equal(budget.granted, 0);
}

static void a_window_does_not_grow_while_its_client_takes_nothing(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 100 * 1024 * 1024};
    struct receive_window window;
    receive_window_init(&window, &budget);
    receive_window_delivered(&window, window.size);
    assert_false(receive_window_consumed(&window, window.size - 1));
    assert_int_equal(window.size, RECEIVE_WINDOW_FIRST_BYTES);
    assert_int_equal(window.held, 1);
    assert_true(receive_window_consumed(&window, 1));
    assert_int_equal(window.held, 0);
    receive_window_done(&window);
}

static void each_growth_takes_a_whole_window_of_its_own(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 100 * 1024 * 1024};
    struct receive_window window;
    receive_window_init(&window, &budget);
    assert_true(consume_window(&window));
    receive_window_delivered(&window, window.size);
    assert_false(receive_window_consumed(&window, window.size - 1));
    assert_true(receive_window_consumed(&window, 1));
    receive_window_done(&window);
}

static void what_is_held_is_what_was_delivered_and_not_consumed(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 0};
    struct receive_window window;
    receive_window_init(&window, &budget);
    receive_window_delivered(&window, 1000);
    receive_window_delivered(&window, 500);
    receive_window_consumed(&window, 300);
    assert_int_equal(window.held, 1200);
    receive_window_consumed(&window, 1200);
    assert_int_equal(window.held, 0);
    receive_window_done(&window);
}

static void all_windows_together_never_exceed_the_budget(void **state)
{
    (void)state;
    enum { WINDOWS = 10 };
    struct body_budget budget = {.limit = 1000 * 1000};
    struct receive_window windows[WINDOWS];
    for (int i = 0; i < WINDOWS; i++)
        receive_window_init(&windows[i], &budget);
    bool refused = false;
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < WINDOWS; i++) {
            refused |= !consume_window(&windows[i]);
            size_t sum = 0;
            for (int j = 0; j < WINDOWS; j++)
                sum += windows[j].size - RECEIVE_WINDOW_FIRST_BYTES;
            assert_int_equal(sum, budget.granted);
            assert_true(budget.granted <= budget.limit);
        }
    }
    assert_true(refused);
    for (int i = 0; i < WINDOWS; i++)
        receive_window_done(&windows[i]);
    assert_int_equal(budget.granted, 0);
}

static void what_one_window_gives_back_another_may_take(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 128 * 1024 - RECEIVE_WINDOW_FIRST_BYTES};
    struct receive_window first;
    struct receive_window second;
    receive_window_init(&first, &budget);
    receive_window_init(&second, &budget);
    assert_true(consume_window(&first));
    assert_false(consume_window(&second));
    receive_window_done(&first);
    assert_true(consume_window(&second));
    receive_window_done(&second);
    assert_int_equal(budget.granted, 0);
}

static void giving_back_twice_gives_back_once(void **state)
{
    (void)state;
    struct body_budget budget = {.limit = 100 * 1024 * 1024};
    struct receive_window window;
    receive_window_init(&window, &budget);
    assert_true(consume_window(&window));
    receive_window_done(&window);
    receive_window_done(&window);
    assert_int_equal(budget.granted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_doubles_for_each_whole_one_consumed_up_to_its_maximum),
        cmocka_unit_test(a_window_does_not_grow_while_its_client_takes_nothing),
        cmocka_unit_test(each_growth_takes_a_whole_window_of_its_own),
        cmocka_unit_test(what_is_held_is_what_was_delivered_and_not_consumed),
        cmocka_unit_test(all_windows_together_never_exceed_the_budget),
        cmocka_unit_test(what_one_window_gives_back_another_may_take),
        cmocka_unit_test(giving_back_twice_gives_back_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
