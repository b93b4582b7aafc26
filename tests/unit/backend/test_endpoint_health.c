/* Passive health, with the time as an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/backend/endpoint_health.h"
#include "proxy/backend/endpoint_registry.h"

enum { ENDPOINTS = 4, NOW_MS = 5000000 };

struct fixture {
    struct endpoint_registry *registry;
    struct endpoint_state *endpoints[ENDPOINTS];
    struct endpoint_set *set;
    uint64_t now_ms;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    struct endpoint_slot slots[ENDPOINTS] = {{.weight = 0}};
    *f = (struct fixture){.registry = endpoint_registry_new(), .now_ms = NOW_MS};
    for (int i = 0; i < ENDPOINTS; i++) {
        char text[32];
        struct address address;
        int length = snprintf(text, sizeof(text), "127.0.0.1:%d", 3000 + i);
        struct strview view = strview_make(text, (size_t)length);
        assert_true(address_parse(view, &address));
        const struct endpoint_key key = {
            .backend_name = STRVIEW("b"), .address_text = view, .address = address};
        f->endpoints[i] = endpoint_registry_get(f->registry, &key);
        slots[i] = (struct endpoint_slot){.state = f->endpoints[i], .weight = 1};
    }
    f->set = endpoint_set_new(slots, ENDPOINTS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    endpoint_set_free(f->set);
    endpoint_registry_free(f->registry);
    return 0;
}

static void fail_often(struct fixture *f, int endpoint, int times)
{
    for (int i = 0; i < times; i++)
        endpoint_failed(f->endpoints[endpoint], f->set, f->now_ms);
}

/* How long requests that may fail keep away from now on. */
static uint64_t time_left(const struct fixture *f, int endpoint)
{
    return endpoint_view(f->endpoints[endpoint], f->now_ms).ejected_for_ms;
}

static bool is_avoided(const struct fixture *f, int endpoint, bool may_fail)
{
    return endpoint_is_in_trouble(f->endpoints[endpoint], may_fail, f->now_ms);
}

static void five_failures_in_a_row_eject(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 4);
    assert_false(is_avoided(f, 0, true));
    endpoint_succeeded(f->endpoints[0], f->now_ms);
    fail_often(f, 0, 4);
    assert_false(is_avoided(f, 0, true));
    fail_often(f, 0, 1);
    assert_true(is_avoided(f, 0, true));
    assert_int_equal(time_left(f, 0), EJECTION_MS);
    assert_int_equal(endpoint_view(f->endpoints[0], f->now_ms).condition, ENDPOINT_IS_EJECTED);
    assert_int_equal(endpoint_view(f->endpoints[0], f->now_ms).failures, 9);
    assert_int_equal(endpoint_view(f->endpoints[0], f->now_ms).ejections, 1);
}

static void never_are_more_than_half_ejected(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ENDPOINTS; i++)
        fail_often(f, i, 50);
    assert_true(is_avoided(f, 0, true) && is_avoided(f, 1, true));
    assert_false(is_avoided(f, 2, true) || is_avoided(f, 3, true));
    /* The next failure after one of them is back ejects another one. */
    f->now_ms += EJECTION_MS;
    endpoint_succeeded(f->endpoints[0], f->now_ms);
    fail_often(f, 2, 1);
    assert_true(is_avoided(f, 2, true));
}

static void what_drains_counts_as_one_that_is_out(void **state)
{
    struct fixture *f = *state;
    endpoint_set_draining(f->endpoints[3], true);
    endpoint_set_draining(f->endpoints[2], true);
    fail_often(f, 0, 10);
    assert_false(is_avoided(f, 0, true));
    endpoint_set_draining(f->endpoints[2], false);
    fail_often(f, 0, 1);
    assert_true(is_avoided(f, 0, true));
}

static void the_only_endpoint_is_never_ejected(void **state)
{
    struct fixture *f = *state;
    struct endpoint_slot slot = {.state = f->endpoints[0], .weight = 1};
    struct endpoint_set *alone = endpoint_set_new(&slot, 1);
    for (int i = 0; i < 100; i++)
        endpoint_failed(f->endpoints[0], alone, f->now_ms);
    assert_false(is_avoided(f, 0, true));
    endpoint_set_free(alone);
}

static void after_an_ejection_one_request_at_a_time_is_a_trial(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 5);
    f->now_ms += EJECTION_MS - 1;
    assert_true(is_avoided(f, 0, true));
    f->now_ms += 1;
    assert_false(is_avoided(f, 0, true));
    assert_true(is_avoided(f, 0, false)); /* one that must not fail goes elsewhere */
    endpoint_picked(f->endpoints[0], f->now_ms);
    assert_true(is_avoided(f, 0, true));
    f->now_ms += 1000; /* nothing heard: the next one tries */
    assert_false(is_avoided(f, 0, true));
    endpoint_picked(f->endpoints[0], f->now_ms);
    endpoint_succeeded(f->endpoints[0], f->now_ms + 1);
    assert_false(is_avoided(f, 0, true) || is_avoided(f, 0, false));
}

static void where_every_request_must_not_fail_one_is_the_trial_in_the_end(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 5);
    f->now_ms += EJECTION_MS + 5000;
    assert_false(is_avoided(f, 0, false));
}

static void a_failed_trial_ejects_at_once_and_for_longer(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 5);
    for (uint64_t n = 2; n <= 20; n++) {
        f->now_ms += time_left(f, 0);
        endpoint_picked(f->endpoints[0], f->now_ms);
        fail_often(f, 0, 1);
        uint64_t wanted = n * EJECTION_MS < EJECTION_MAX_MS ? n * EJECTION_MS : EJECTION_MAX_MS;
        assert_int_equal(time_left(f, 0), wanted);
    }
}

static void good_conduct_lowers_the_severity(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 5);
    for (int i = 0; i < 3; i++) {
        f->now_ms += time_left(f, 0);
        fail_often(f, 0, 1);
    }
    assert_int_equal(time_left(f, 0), 4 * EJECTION_MS);
    f->now_ms += 4 * EJECTION_MS;
    endpoint_succeeded(f->endpoints[0], f->now_ms);
    f->now_ms += 2 * EJECTION_MS;
    fail_often(f, 0, 5);
    assert_int_equal(time_left(f, 0), 3 * EJECTION_MS);
    f->now_ms += 3 * EJECTION_MS;
    endpoint_succeeded(f->endpoints[0], f->now_ms);
    f->now_ms += UINT64_C(1000) * EJECTION_MS;
    fail_often(f, 0, 5);
    assert_int_equal(time_left(f, 0), EJECTION_MS);
}

static void what_began_before_the_ejection_changes_nothing_about_it(void **state)
{
    struct fixture *f = *state;
    fail_often(f, 0, 5);
    f->now_ms += 1000;
    fail_often(f, 0, 100);
    endpoint_succeeded(f->endpoints[0], f->now_ms);
    assert_int_equal(time_left(f, 0), EJECTION_MS - 1000);
}

static void one_that_refuses_connections_is_avoided_for_a_second(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < ENDPOINTS; i++) { /* all of them may be: none is written off */
        endpoint_connect_failed(f->endpoints[i], f->now_ms);
        assert_true(is_avoided(f, i, true));
        assert_int_equal(endpoint_view(f->endpoints[i], f->now_ms).condition,
                         ENDPOINT_IS_UNREACHABLE);
    }
    f->now_ms += 1000;
    assert_false(is_avoided(f, 0, true));
    assert_true(is_avoided(f, 0, false));
    f->now_ms += 5000; /* where every request must not fail, one tries it in the end */
    assert_false(is_avoided(f, 0, false));
    endpoint_connect_failed(f->endpoints[0], f->now_ms);
    endpoint_connected(f->endpoints[0]);
    assert_false(is_avoided(f, 0, true));
    assert_int_equal(endpoint_view(f->endpoints[0], f->now_ms).condition, ENDPOINT_IS_HEALTHY);
}

static void one_ejected_for_that_is_back_when_it_is_found_again(void **state)
{
    struct fixture *f = *state;
    endpoint_connect_failed(f->endpoints[0], f->now_ms);
    fail_often(f, 0, 5);
    assert_true(is_avoided(f, 0, true));
    endpoint_found_again(f->endpoints[0], f->now_ms);
    assert_false(is_avoided(f, 0, true) || is_avoided(f, 0, false));
    fail_often(f, 1, 5); /* this one answers nonsense, and was connected to all the time */
    endpoint_found_again(f->endpoints[1], f->now_ms);
    assert_true(is_avoided(f, 1, true));
}

static void what_speaks_against_an_endpoint(void **state)
{
    (void)state;
    for (int status = 200; status < 600; status++)
        assert_int_equal(status_is_failure(status),
                         status == 502 || status == 503 || status == 504);
    assert_true(fault_is_failure(BACKEND_FAULT_RESET, false));
    assert_false(fault_is_failure(BACKEND_FAULT_RESET, true));
    assert_true(fault_is_failure(BACKEND_FAULT_FIRST_BYTE_TIMEOUT, false));
    assert_true(fault_is_failure(BACKEND_FAULT_MALFORMED, true));
    assert_false(fault_is_failure(BACKEND_FAULT_OVERLOAD, false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(five_failures_in_a_row_eject),
        TEST(never_are_more_than_half_ejected),
        TEST(what_drains_counts_as_one_that_is_out),
        TEST(the_only_endpoint_is_never_ejected),
        TEST(after_an_ejection_one_request_at_a_time_is_a_trial),
        TEST(where_every_request_must_not_fail_one_is_the_trial_in_the_end),
        TEST(a_failed_trial_ejects_at_once_and_for_longer),
        TEST(good_conduct_lowers_the_severity),
        TEST(what_began_before_the_ejection_changes_nothing_about_it),
        TEST(one_that_refuses_connections_is_avoided_for_a_second),
        TEST(one_ejected_for_that_is_back_when_it_is_found_again),
        cmocka_unit_test(what_speaks_against_an_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
