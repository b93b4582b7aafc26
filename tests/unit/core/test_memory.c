#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/array.h"
#include "proxy/core/block_pool.h"
#include "tests/support/failing_memory.h"

static void an_allocation_that_fails_once_is_tried_again(void **state)
{
    (void)state;
    assert_true(memory_reserve_fill());
    failing_memory_begin(1);
    char *text = memory_strdup("ab");
    assert_true(failing_memory_end());
    assert_string_equal(text, "ab");
    failing_memory_begin(1);
    text = memory_realloc(text, 1000);
    assert_true(failing_memory_end());
    assert_string_equal(text, "ab");
    free(text);
    failing_memory_begin(1);
    char *zeros = memory_zalloc(2);
    assert_true(failing_memory_end());
    assert_int_equal(zeros[1], 0);
    free(zeros);
}

static void the_reserve_can_be_filled_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(memory_reserve_fill());
        assert_true(memory_reserve_fill());
        failing_memory_begin(1);
        free(memory_alloc(1));
        assert_true(failing_memory_end());
    }
}

static void a_piece_for_a_library_is_never_missing(void **state)
{
    (void)state;
    struct block_pool pool;
    block_pool_init(&pool, 0);
    failing_memory_begin(1);
    void *small = block_alloc(&pool, 10);
    assert_true(failing_memory_end());
    failing_memory_begin(1);
    void *large = block_alloc(&pool, 100000);
    assert_true(failing_memory_end());
    assert_non_null(small);
    assert_non_null(large);
    block_free(&pool, small);
    block_free(&pool, large);
    block_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_that_fails_once_is_tried_again),
        cmocka_unit_test(the_reserve_can_be_filled_again_and_again),
        cmocka_unit_test(a_piece_for_a_library_is_never_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
