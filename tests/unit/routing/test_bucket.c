#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "proxy/routing/bucket.h"

/* The mapping is a promise: people must not move when the program is built anew. */
static void known_identities_keep_their_buckets(void **state)
{
    (void)state;
    static const struct {
        const char *cohort;
        const char *identity;
        uint32_t bucket;
    } rows[] = {
        {"users", "192.0.2.1", 243322},
        {"users", "192.0.2.2", 223525},
        {"threads", "192.0.2.1", 605013},
        {"users", "00112233445566778899aabbccddeeff", 896612},
        {"users", "20010db800000001", 502927},
        {"a", "b", 834479},
        {"", "", 766782},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(bucket_of(strview_of(rows[i].cohort), strview_of(rows[i].identity)),
                         rows[i].bucket);
}

static void long_identities_are_hashed_alike_whole_or_in_parts(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof(text));
    assert_int_equal(bucket_of(STRVIEW("posts"), strview_make(text, 300)), 667974);
    assert_int_equal(bucket_of(STRVIEW("posts"), strview_make(text, 511)), 545121);
    assert_int_equal(bucket_of(STRVIEW("posts"), strview_make(text, 5000)), 860397);
}

static uint32_t bucket_of_number(unsigned number)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "user-%u", number);
    return bucket_of(STRVIEW("users"), strview_make(text, (size_t)length));
}

static uint32_t threshold(double percent)
{
    uint32_t value = UINT32_MAX;
    assert_true(bucket_threshold_of_percent(percent, &value));
    return value;
}

static void raising_the_percent_never_moves_anyone_back(void **state)
{
    (void)state;
    static const double steps[] = {0,       0.0001, 0.01, 1,  5,       10, 25,
                                   33.3333, 50,     75,   99, 99.9999, 100};
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t bucket = bucket_of_number(i);
        bool was_extracted = false;
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            bool extracted = bucket_is_extracted(bucket, threshold(steps[j]));
            assert_true(extracted || !was_extracted);
            was_extracted = extracted;
        }
    }
}

static void zero_percent_is_nobody_and_a_hundred_everybody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        uint32_t bucket = bucket_of_number(i);
        assert_false(bucket_is_extracted(bucket, threshold(0)));
        assert_true(bucket_is_extracted(bucket, threshold(100)));
    }
}

static void twenty_five_percent_is_a_quarter_of_the_people(void **state)
{
    (void)state;
    enum { PEOPLE = 100000 };
    unsigned extracted = 0;
    for (unsigned i = 0; i < PEOPLE; i++)
        extracted += bucket_is_extracted(bucket_of_number(i), threshold(25)) ? 1 : 0;
    assert_in_range(extracted, PEOPLE * 24 / 100, PEOPLE * 26 / 100);
}

static void cohorts_move_different_people(void **state)
{
    (void)state;
    unsigned both = 0;
    for (unsigned i = 0; i < 10000; i++) {
        char text[16];
        struct strview identity = {text, (size_t)snprintf(text, sizeof(text), "%u", i)};
        both +=
            bucket_of(STRVIEW("a"), identity) < 250000 && bucket_of(STRVIEW("b"), identity) < 250000
                ? 1
                : 0;
    }
    assert_in_range(both, 500, 750); /* a sixteenth, were they independent */
}

static void the_zero_byte_keeps_cohort_and_identity_apart(void **state)
{
    (void)state;
    assert_int_not_equal(bucket_of(STRVIEW("ab"), STRVIEW("c")),
                         bucket_of(STRVIEW("a"), STRVIEW("bc")));
}

static void percentages_have_four_decimals(void **state)
{
    (void)state;
    uint32_t value = 7;
    assert_int_equal(threshold(0), 0);
    assert_int_equal(threshold(0.0001), 1);
    assert_int_equal(threshold(0.00004), 0);
    assert_int_equal(threshold(25), 250000);
    assert_int_equal(threshold(33.3333), 333333);
    assert_int_equal(threshold(99.9999), 999999);
    assert_int_equal(threshold(100), BUCKET_COUNT);
    assert_false(bucket_threshold_of_percent(-0.1, &value));
    assert_false(bucket_threshold_of_percent(100.0001, &value));
    assert_false(bucket_threshold_of_percent(0.0 / 0.0, &value));
    assert_int_equal(value, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_identities_keep_their_buckets),
        cmocka_unit_test(long_identities_are_hashed_alike_whole_or_in_parts),
        cmocka_unit_test(raising_the_percent_never_moves_anyone_back),
        cmocka_unit_test(zero_percent_is_nobody_and_a_hundred_everybody),
        cmocka_unit_test(twenty_five_percent_is_a_quarter_of_the_people),
        cmocka_unit_test(cohorts_move_different_people),
        cmocka_unit_test(the_zero_byte_keeps_cohort_and_identity_apart),
        cmocka_unit_test(percentages_have_four_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
