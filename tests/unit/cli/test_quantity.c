/* Durations and percentages as people type them: exact, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/cli/quantity.h"

static void percentages_are_exact_to_four_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t threshold;
    } rows[] = {{"0", 0},        {"100", 1000000},      {"25", 250000},
                {"25%", 250000}, {"0.0001", 1},         {"99.9999", 999999},
                {"2.5", 25000},  {"100.0000", 1000000}, {"33.3333", 333333},
                {"007", 70000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t threshold = 7;
        assert_true(quantity_percent(strview_of(rows[i].text), &threshold));
        assert_int_equal(threshold, rows[i].threshold);
    }
}

static void other_texts_are_no_percentage(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    "%",        "-1",        "+1",
                                        "101", "100.0001", "1.",        ".5",
                                        "1e2", "0x10",     "100.00001", "12.34567",
                                        "1 ",  " 1",       "1,5",       "inf",
                                        "nan", "1%%",      "1.2.3",     "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t threshold = 7;
        assert_false(quantity_percent(strview_of(wrong[i]), &threshold));
        assert_int_equal(threshold, 7);
    }
}

static void durations_have_a_unit(void **state)
{
    (void)state;
    uint64_t duration_ms;
    assert_true(quantity_duration(STRVIEW("250ms"), &duration_ms) && duration_ms == 250);
    assert_true(quantity_duration(STRVIEW("15s"), &duration_ms) && duration_ms == 15000);
    assert_true(quantity_duration(STRVIEW("10m"), &duration_ms) && duration_ms == 600000);
    assert_true(quantity_duration(STRVIEW("2h"), &duration_ms) && duration_ms == 7200000);
    assert_true(quantity_duration(STRVIEW("7d"), &duration_ms) && duration_ms == 604800000);
    assert_true(quantity_duration(STRVIEW("4294967295d"), &duration_ms) &&
                duration_ms == 4294967295u * 86400000ull);
    static const char *const wrong[] = {"",     "10",  "s",  "-1s",         "1.5s",
                                        "10 m", "10M", "1w", "4294967296s", "10ms "};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(quantity_duration(strview_of(wrong[i]), &duration_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentages_are_exact_to_four_decimals),
        cmocka_unit_test(other_texts_are_no_percentage),
        cmocka_unit_test(durations_have_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
