#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/exchange/retry.h"

/* A read that failed on the first of two endpoints, with nothing given away. */
static struct attempt_facts facts_of(enum backend_fault fault)
{
    return (struct attempt_facts){
        .fault = fault,
        .is_read = true,
        .endpoint_count = 2,
    };
}

static enum next_attempt next_of(const struct attempt_facts *facts)
{
    struct retry_budget budget;
    retry_budget_init(&budget);
    return next_attempt_decide(facts, &budget);
}

/* Is the same side tried again? */
static bool decide(const struct attempt_facts *facts)
{
    return next_of(facts) == NEXT_ATTEMPT_RETRY;
}

static void a_read_is_tried_again_after_faults_that_another_endpoint_may_not_have(void **state)
{
    (void)state;
    static const struct {
        enum backend_fault fault;
        bool again;
    } rows[BACKEND_FAULT_COUNT] = {
        {BACKEND_FAULT_CONNECT, true},       {BACKEND_FAULT_CONNECT_TIMEOUT, true},
        {BACKEND_FAULT_RESET, true},         {BACKEND_FAULT_REFUSED, true},
        {BACKEND_FAULT_MALFORMED, true},     {BACKEND_FAULT_HEADER_LIMIT, true},
        {BACKEND_FAULT_OVERLOAD, false},     {BACKEND_FAULT_FIRST_BYTE_TIMEOUT, true},
        {BACKEND_FAULT_IDLE_TIMEOUT, false}, {BACKEND_FAULT_TOTAL_TIMEOUT, false},
        {BACKEND_FAULT_TLS, true},           {BACKEND_FAULT_NO_ENDPOINT, false},
        {BACKEND_FAULT_STATUS, false},
    };
    for (int i = 0; i < BACKEND_FAULT_COUNT; i++) {
        assert_int_equal(rows[i].fault, i);
        struct attempt_facts facts = facts_of(rows[i].fault);
        assert_int_equal(decide(&facts), rows[i].again);
    }
}

static void with_one_endpoint_only_what_a_fresh_connection_cures_is_tried_again(void **state)
{
    (void)state;
    struct attempt_facts facts = facts_of(BACKEND_FAULT_CONNECT);
    facts.endpoint_count = 1;
    facts.unprocessed = true;
    assert_false(decide(&facts));
    facts.fault = BACKEND_FAULT_RESET;
    facts.unprocessed = false;
    assert_false(decide(&facts));
    facts.reused = true; /* an idle connection that was closed as we used it */
    assert_true(decide(&facts));
    facts = facts_of(BACKEND_FAULT_REFUSED);
    facts.endpoint_count = 1;
    assert_true(decide(&facts));
}

static void a_write_is_tried_again_only_when_it_surely_was_not_processed(void **state)
{
    (void)state;
    struct attempt_facts facts = facts_of(BACKEND_FAULT_RESET);
    facts.is_read = false;
    assert_false(decide(&facts));
    facts.reused = true;
    assert_false(decide(&facts));
    facts.fault = BACKEND_FAULT_CONNECT;
    facts.unprocessed = true;
    assert_true(decide(&facts));
    facts.fault = BACKEND_FAULT_REFUSED;
    assert_true(decide(&facts));
}

static void nothing_is_tried_again_once_something_was_given_away(void **state)
{
    (void)state;
    for (int fault = 0; fault < BACKEND_FAULT_COUNT; fault++) {
        struct attempt_facts facts = facts_of((enum backend_fault)fault);
        facts.unprocessed = true;
        facts.reused = true;
        facts.body_given = true;
        assert_false(decide(&facts));
        facts.body_given = false;
        facts.answer_started = true;
        assert_false(decide(&facts));
    }
}

static void a_request_is_tried_twice_and_not_three_times(void **state)
{
    (void)state;
    struct attempt_facts facts = facts_of(BACKEND_FAULT_REFUSED);
    assert_true(decide(&facts));
    facts.retries = RETRIES_MAX;
    assert_false(decide(&facts));
    facts.retries = RETRIES_MAX + 1;
    assert_false(decide(&facts));
}

/* The retries granted for `requests` of which every one fails once. */
static uint32_t retries_of(struct retry_budget *budget, uint32_t requests)
{
    struct attempt_facts facts = facts_of(BACKEND_FAULT_RESET);
    uint32_t retries = 0;
    for (uint32_t i = 0; i < requests; i++) {
        retry_budget_add(budget);
        retries += next_attempt_decide(&facts, budget) == NEXT_ATTEMPT_RETRY ? 1 : 0;
    }
    return retries;
}

static void in_the_long_run_a_fifth_of_the_requests_is_tried_again(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    retries_of(&budget, 1000); /* the stock is used up */
    for (int round = 0; round < 50; round++)
        assert_in_range(retries_of(&budget, 1000), 200, 200);
}

static void a_quiet_time_saves_up_no_more_than_a_small_stock(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    for (int i = 0; i < 1000000; i++)
        retry_budget_add(&budget);
    struct attempt_facts facts = facts_of(BACKEND_FAULT_RESET);
    uint32_t burst = 0;
    while (next_attempt_decide(&facts, &budget) == NEXT_ATTEMPT_RETRY)
        burst++;
    assert_in_range(burst, 10, 100);
}

static void the_first_failures_of_a_worker_find_some_budget(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    assert_true(retries_of(&budget, 5) == 5);
}

static void what_is_refused_costs_nothing(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    int32_t credit = budget.credit;
    struct attempt_facts facts = facts_of(BACKEND_FAULT_RESET);
    facts.body_given = true;
    assert_int_equal(next_attempt_decide(&facts, &budget), NEXT_ATTEMPT_NONE);
    facts = facts_of(BACKEND_FAULT_IDLE_TIMEOUT);
    assert_int_equal(next_attempt_decide(&facts, &budget), NEXT_ATTEMPT_NONE);
    assert_int_equal(budget.credit, credit);
}

/* --- fallback ------------------------------------------------------------------------------ */

/* With one endpoint, so that only what a fresh connection cures is retried. */
static struct attempt_facts falling(enum backend_fault fault)
{
    struct attempt_facts facts = facts_of(fault);
    facts.endpoint_count = 1;
    facts.may_fall_back = true;
    return facts;
}

static void what_retry_and_fallback_make_of_each_fault(void **state)
{
    (void)state;
    /* One endpoint and two, before the retry; then after it. */
    static const struct {
        enum backend_fault fault;
        enum next_attempt alone;
        enum next_attempt among_two;
        enum next_attempt after_retry;
    } rows[BACKEND_FAULT_COUNT] = {
#define NONE NEXT_ATTEMPT_NONE
#define RETRY NEXT_ATTEMPT_RETRY
#define FALLBACK NEXT_ATTEMPT_FALLBACK
        {BACKEND_FAULT_CONNECT, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_CONNECT_TIMEOUT, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_RESET, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_REFUSED, RETRY, RETRY, FALLBACK},
        {BACKEND_FAULT_MALFORMED, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_HEADER_LIMIT, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_OVERLOAD, FALLBACK, FALLBACK, FALLBACK},
        {BACKEND_FAULT_FIRST_BYTE_TIMEOUT, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_IDLE_TIMEOUT, FALLBACK, FALLBACK, FALLBACK},
        {BACKEND_FAULT_TOTAL_TIMEOUT, NONE, NONE, NONE},
        {BACKEND_FAULT_TLS, FALLBACK, RETRY, FALLBACK},
        {BACKEND_FAULT_NO_ENDPOINT, FALLBACK, FALLBACK, FALLBACK},
        {BACKEND_FAULT_STATUS, FALLBACK, FALLBACK, FALLBACK},
    };
    for (int i = 0; i < BACKEND_FAULT_COUNT; i++) {
        assert_int_equal(rows[i].fault, i);
        struct attempt_facts facts = falling(rows[i].fault);
        assert_int_equal(next_of(&facts), rows[i].alone);
        facts.endpoint_count = 2;
        assert_int_equal(next_of(&facts), rows[i].among_two);
        facts.retries = 1;
        assert_int_equal(next_of(&facts), rows[i].after_retry);
        facts.may_fall_back = false;
        assert_int_equal(next_of(&facts), NONE);
    }
}

static void a_write_never_falls_back(void **state)
{
    (void)state;
    for (int fault = 0; fault < BACKEND_FAULT_COUNT; fault++) {
        struct attempt_facts facts = falling((enum backend_fault)fault);
        facts.is_read = false;
        facts.unprocessed = true;
        assert_int_not_equal(next_of(&facts), FALLBACK);
    }
}

static void nothing_falls_back_once_something_was_given_away(void **state)
{
    (void)state;
    for (int fault = 0; fault < BACKEND_FAULT_COUNT; fault++) {
        struct attempt_facts facts = falling((enum backend_fault)fault);
        facts.body_given = true;
        assert_int_equal(next_of(&facts), NONE);
        facts.body_given = false;
        facts.answer_started = true;
        assert_int_equal(next_of(&facts), NONE);
    }
}

static void a_slow_attempt_is_left_for_a_fallback_alone(void **state)
{
    (void)state;
    struct attempt_facts facts = falling(BACKEND_FAULT_FIRST_BYTE_TIMEOUT);
    facts.endpoint_count = 2;
    facts.still_running = true;
    assert_int_equal(next_of(&facts), FALLBACK);
    facts.may_fall_back = false;
    assert_int_equal(next_of(&facts), NONE);
}

static void retries_and_fallbacks_share_one_budget(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    retries_of(&budget, 1000); /* the stock is used up */
    struct attempt_facts facts = falling(BACKEND_FAULT_REFUSED);
    uint32_t retries = 0;
    uint32_t fallbacks = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        retry_budget_add(&budget);
        facts.retries = i % 2;
        enum next_attempt next = next_attempt_decide(&facts, &budget);
        retries += next == RETRY ? 1 : 0;
        fallbacks += next == FALLBACK ? 1 : 0;
    }
    assert_int_equal(retries + fallbacks, 200);
    assert_true(fallbacks > 0);
#undef NONE
#undef RETRY
#undef FALLBACK
}

static void every_fault_has_the_status_that_says_whose_it_is(void **state)
{
    (void)state;
    static const int statuses[BACKEND_FAULT_COUNT] = {
        [BACKEND_FAULT_CONNECT] = 502,      [BACKEND_FAULT_CONNECT_TIMEOUT] = 504,
        [BACKEND_FAULT_RESET] = 502,        [BACKEND_FAULT_REFUSED] = 502,
        [BACKEND_FAULT_MALFORMED] = 502,    [BACKEND_FAULT_HEADER_LIMIT] = 502,
        [BACKEND_FAULT_OVERLOAD] = 503,     [BACKEND_FAULT_FIRST_BYTE_TIMEOUT] = 504,
        [BACKEND_FAULT_IDLE_TIMEOUT] = 504, [BACKEND_FAULT_TOTAL_TIMEOUT] = 504,
        [BACKEND_FAULT_TLS] = 502,          [BACKEND_FAULT_NO_ENDPOINT] = 503,
        [BACKEND_FAULT_STATUS] = 502,
    };
    for (int fault = 0; fault < BACKEND_FAULT_COUNT; fault++)
        assert_int_equal(status_of_fault((enum backend_fault)fault), statuses[fault]);
}

static void every_fault_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < BACKEND_FAULT_COUNT; a++) {
        struct strview name = backend_fault_name((enum backend_fault)a);
        assert_true(name.length > 0);
        for (int b = 0; b < a; b++)
            assert_false(strview_equal(name, backend_fault_name((enum backend_fault)b)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_tried_again_after_faults_that_another_endpoint_may_not_have),
        cmocka_unit_test(with_one_endpoint_only_what_a_fresh_connection_cures_is_tried_again),
        cmocka_unit_test(a_write_is_tried_again_only_when_it_surely_was_not_processed),
        cmocka_unit_test(nothing_is_tried_again_once_something_was_given_away),
        cmocka_unit_test(a_request_is_tried_twice_and_not_three_times),
        cmocka_unit_test(in_the_long_run_a_fifth_of_the_requests_is_tried_again),
        cmocka_unit_test(a_quiet_time_saves_up_no_more_than_a_small_stock),
        cmocka_unit_test(the_first_failures_of_a_worker_find_some_budget),
        cmocka_unit_test(what_is_refused_costs_nothing),
        cmocka_unit_test(what_retry_and_fallback_make_of_each_fault),
        cmocka_unit_test(a_write_never_falls_back),
        cmocka_unit_test(nothing_falls_back_once_something_was_given_away),
        cmocka_unit_test(a_slow_attempt_is_left_for_a_fallback_alone),
        cmocka_unit_test(retries_and_fallbacks_share_one_budget),
        cmocka_unit_test(every_fault_has_the_status_that_says_whose_it_is),
        cmocka_unit_test(every_fault_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
