/* Windows over counters: what lies between the oldest sample and now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/control/module_stats.h"

static void assert_near(double found, double wanted)
{
    assert_true(found > wanted * 0.999 && found < wanted * 1.001);
}

static void without_observations_there_is_no_quantile(void **state)
{
    (void)state;
    uint64_t buckets[METRICS_BUCKETS] = {0};
    assert_true(histogram_quantile_ms(buckets, 0.5) == 0);
}

static void a_quantile_lies_inside_its_bucket(void **state)
{
    (void)state;
    uint64_t buckets[METRICS_BUCKETS] = {0};
    buckets[2] = 100; /* 0.5 … 1 ms */
    assert_near(histogram_quantile_ms(buckets, 0.5), 0.75);
    assert_near(histogram_quantile_ms(buckets, 0.99), 0.995);
    buckets[5] = 100; /* 5 … 10 ms */
    assert_near(histogram_quantile_ms(buckets, 0.5), 1.0);
    assert_near(histogram_quantile_ms(buckets, 0.75), 7.5);
    assert_near(histogram_quantile_ms(buckets, 1.0), 10.0);
}

static void above_the_last_bound_the_bound_is_all_that_is_known(void **state)
{
    (void)state;
    uint64_t buckets[METRICS_BUCKETS] = {0};
    buckets[METRICS_BUCKETS - 1] = 5;
    assert_near(histogram_quantile_ms(buckets, 0.5), 10000);
}

static void codes_of_the_server_s_failure_are_errors(void **state)
{
    (void)state;
    char name[4];
    for (uint32_t code = 0; code < METRICS_CODES; code++) {
        struct strview text = metrics_code_name(code, name);
        assert_int_equal(metrics_code_is_error(code), text.data[0] == '5');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_observations_there_is_no_quantile),
        cmocka_unit_test(a_quantile_lies_inside_its_bucket),
        cmocka_unit_test(above_the_last_bound_the_bound_is_all_that_is_known),
        cmocka_unit_test(codes_of_the_server_s_failure_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
