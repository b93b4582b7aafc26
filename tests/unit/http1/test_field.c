#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http1/http1_field.h"

static void a_field_in_single_bytes_is_the_field(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    struct http1_field field = {{0}, {0}};
    static const char name[] = "X-Long-Name";
    static const char value[] = "Some Value";
    for (size_t i = 0; i < sizeof(name) - 1; i++)
        http1_field_add_name(&field, &arena, name + i, 1);
    for (size_t i = 0; i < sizeof(value) - 1; i++)
        http1_field_add_value(&field, &arena, value + i, 1);
    assert_true(strview_equal(piecewise_view(&field.name), STRVIEW("x-long-name")));
    assert_true(strview_equal(piecewise_view(&field.value), STRVIEW("Some Value")));
    assert_int_equal(http1_field_bytes(&field), sizeof(name) + sizeof(value) - 2);
    http1_field_reset(&field);
    assert_int_equal(http1_field_bytes(&field), 0);
    arena_done(&arena);
}

static void what_it_holds_stays_within_a_small_factor_of_what_came(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    struct piecewise text = {0};
    for (int i = 0; i < 60000; i++)
        piecewise_add(&text, &arena, "x", 1);
    piecewise_add(&text, &arena, NULL, 0);
    assert_int_equal(text.length, 60000);
    assert_true(arena.bytes < 4 * 60000);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_in_single_bytes_is_the_field),
        cmocka_unit_test(what_it_holds_stays_within_a_small_factor_of_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
