#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/decimal.h"

static void assert_decimal(uint64_t value)
{
    char expected[DECIMAL_MAX_BYTES + 1];
    char text[DECIMAL_MAX_BYTES + 1];
    memset(text, '\0', sizeof(text));
    int length = snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
    assert_ptr_equal(decimal_put(text, value), text + length);
    assert_string_equal(text, expected);
}

static void small_numbers_are_what_printf_says(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 20000; value++)
        assert_decimal(value);
}

static void so_are_those_around_each_power_of_ten_and_of_two(void **state)
{
    (void)state;
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        assert_decimal(power * 10 - 1);
        assert_decimal(power * 10);
        assert_decimal(power * 9 + 7);
    }
    for (int bit = 0; bit < 64; bit++)
        assert_decimal(((uint64_t)1 << bit) - 1);
    assert_decimal(UINT64_MAX);
}

static void fixed_digits_have_zeros_in_front(void **state)
{
    (void)state;
    char expected[8];
    char text[8] = "";
    for (unsigned value = 0; value < 100; value++) {
        snprintf(expected, sizeof(expected), "%02u", value);
        assert_ptr_equal(decimal_put_2(text, value), text + 2);
        assert_string_equal(text, expected);
    }
    for (unsigned value = 0; value < 1000000; value += 37) {
        snprintf(expected, sizeof(expected), "%06u", value);
        assert_ptr_equal(decimal_put_6(text, value), text + 6);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_numbers_are_what_printf_says),
        cmocka_unit_test(so_are_those_around_each_power_of_ten_and_of_two),
        cmocka_unit_test(fixed_digits_have_zeros_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
