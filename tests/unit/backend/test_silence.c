#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/backend/silence.h"

enum { NOW_MS = 1000000 };

static bool write_avoids(const struct silence *silence, uint32_t in_flight, uint64_t now_ms)
{
    return silence_is_suspect(silence, in_flight, false, now_ms);
}

static void ask(struct silence *silence, int count, uint64_t now_ms)
{
    for (int i = 0; i < count; i++)
        silence_asked(silence, now_ms);
}

static void who_was_asked_little_or_a_moment_ago_is_trusted(void **state)
{
    (void)state;
    struct silence silence = {0};
    assert_false(write_avoids(&silence, 0, NOW_MS));
    ask(&silence, SILENCE_ASKED - 1, NOW_MS);
    assert_false(write_avoids(&silence, SILENCE_ASKED - 1, NOW_MS + 100000));
    ask(&silence, 1, NOW_MS + 10);
    assert_false(write_avoids(&silence, SILENCE_ASKED, NOW_MS + SILENCE_LEAST_MS));
    assert_true(write_avoids(&silence, SILENCE_ASKED, NOW_MS + SILENCE_LEAST_MS + 1));
}

static void any_answer_ends_the_suspicion(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, 100, NOW_MS);
    assert_true(write_avoids(&silence, 100, NOW_MS + 1000));
    silence_broken(&silence, 1000);
    assert_false(write_avoids(&silence, 99, NOW_MS + 1000));
    ask(&silence, SILENCE_ASKED, NOW_MS + 2000);
    silence_timed_out(&silence, NOW_MS + 2000, NOW_MS + 3000);
    silence_broken(&silence, 1000);
    assert_false(write_avoids(&silence, 99, NOW_MS + 3000));
}

static void requests_that_were_given_up_are_nobodys_fault(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, 100, NOW_MS);
    assert_false(write_avoids(&silence, 0, NOW_MS + 1000));
}

/* A tunnel or a stream of events is under way all the time: it answers nothing any more. */
static void given_up_beside_a_long_answer_they_are_forgotten_by_and_by(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, SILENCE_ASKED, NOW_MS);
    ask(&silence, 1, NOW_MS + 1000);
    assert_true(write_avoids(&silence, 1, NOW_MS + 1000 + SILENCE_FORGET_MS - 1));
    assert_false(write_avoids(&silence, 1, NOW_MS + 1000 + SILENCE_FORGET_MS));
    ask(&silence, 1, NOW_MS + 20000);
    assert_true(write_avoids(&silence, 2, NOW_MS + 20000));
    silence_broken(&silence, 1000);
    assert_false(write_avoids(&silence, 1, NOW_MS + 20000));
}

static void who_answers_slowly_is_given_more_time(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, 1, NOW_MS);
    silence_broken(&silence, 300 * 1000);
    for (int i = 0; i < 5; i++) {
        ask(&silence, 1, NOW_MS);
        silence_broken(&silence, 1000);
    }
    ask(&silence, SILENCE_ASKED, NOW_MS);
    assert_false(write_avoids(&silence, SILENCE_ASKED, NOW_MS + 2000));
    assert_true(write_avoids(&silence, SILENCE_ASKED, NOW_MS + 3000));
    for (int i = 0; i < 1000; i++)
        silence_broken(&silence, 1000);
    ask(&silence, SILENCE_ASKED, NOW_MS);
    assert_true(write_avoids(&silence, SILENCE_ASKED, NOW_MS + SILENCE_LEAST_MS + 1));
}

static void one_timeout_in_silence_is_enough_for_a_while(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, 1, NOW_MS);
    silence_timed_out(&silence, NOW_MS, NOW_MS + 1000);
    assert_true(write_avoids(&silence, 0, NOW_MS + 1000));
    assert_true(write_avoids(&silence, 0, NOW_MS + 1000 + SILENCE_FORGET_MS - 1));
    assert_false(write_avoids(&silence, 0, NOW_MS + 1000 + SILENCE_FORGET_MS));
}

static void a_timeout_among_answers_speaks_against_the_request_not_the_endpoint(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, 2, NOW_MS);
    silence_broken(&silence, 500 * 1000);
    silence_timed_out(&silence, NOW_MS, NOW_MS + 1000);
    assert_false(write_avoids(&silence, 0, NOW_MS + 1000));
    ask(&silence, 1, NOW_MS + 600);
    silence_timed_out(&silence, NOW_MS, NOW_MS + 1000);
    assert_false(write_avoids(&silence, 1, NOW_MS + 1000));
}

static void once_a_second_a_read_finds_out_whether_it_is_well_again(void **state)
{
    (void)state;
    struct silence silence = {0};
    ask(&silence, SILENCE_ASKED, NOW_MS);
    assert_true(silence_is_suspect(&silence, 4, true, NOW_MS + SILENCE_TRIAL_MS - 1));
    assert_false(silence_is_suspect(&silence, 4, true, NOW_MS + SILENCE_TRIAL_MS));
    assert_true(write_avoids(&silence, 4, NOW_MS + SILENCE_TRIAL_MS));
    ask(&silence, 1, NOW_MS + SILENCE_TRIAL_MS);
    assert_true(silence_is_suspect(&silence, 5, true, NOW_MS + SILENCE_TRIAL_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_asked_little_or_a_moment_ago_is_trusted),
        cmocka_unit_test(any_answer_ends_the_suspicion),
        cmocka_unit_test(requests_that_were_given_up_are_nobodys_fault),
        cmocka_unit_test(given_up_beside_a_long_answer_they_are_forgotten_by_and_by),
        cmocka_unit_test(who_answers_slowly_is_given_more_time),
        cmocka_unit_test(one_timeout_in_silence_is_enough_for_a_while),
        cmocka_unit_test(a_timeout_among_answers_speaks_against_the_request_not_the_endpoint),
        cmocka_unit_test(once_a_second_a_read_finds_out_whether_it_is_well_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
