#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/core/buffer.h"

enum { KEPT_MAX = 2 };

static void a_buffer_lives_until_its_last_reference_is_gone(void **state)
{
    (void)state;
    struct buffer_pool pool;
    buffer_pool_init(&pool, KEPT_MAX);
    struct buffer *buffer = buffer_new(&pool);
    buffer_ref(buffer);
    buffer_ref(buffer);
    assert_int_equal(pool.live, 1);
    buffer_unref(buffer);
    buffer_unref(buffer);
    assert_int_equal(pool.live, 1);
    buffer->bytes[BUFFER_BYTES - 1] = 'x';
    buffer_unref(buffer);
    assert_int_equal(pool.live, 0);
    assert_int_equal(pool.kept, 1);
    buffer_pool_done(&pool);
}

static void the_pool_keeps_no_more_than_its_limit(void **state)
{
    (void)state;
    struct buffer_pool pool;
    struct buffer *buffers[5];
    buffer_pool_init(&pool, KEPT_MAX);
    for (int i = 0; i < 5; i++)
        buffers[i] = buffer_new(&pool);
    assert_int_equal(pool.live, 5);
    for (int i = 0; i < 5; i++)
        buffer_unref(buffers[i]);
    assert_int_equal(pool.live, 0);
    assert_int_equal(pool.kept, KEPT_MAX);
    buffer_pool_done(&pool);
}

static void a_buffer_that_comes_back_from_the_pool_is_empty(void **state)
{
    (void)state;
    struct buffer_pool pool;
    buffer_pool_init(&pool, KEPT_MAX);
    struct buffer *buffer = buffer_new(&pool);
    buffer->used = 100;
    buffer_unref(buffer);
    struct buffer *again = buffer_new(&pool);
    assert_ptr_equal(again, buffer);
    assert_int_equal(again->used, 0);
    assert_int_equal(again->references, 1);
    assert_int_equal(pool.kept, 0);
    buffer_unref(again);
    buffer_pool_done(&pool);
}

static void giving_back_no_buffer_is_allowed(void **state)
{
    (void)state;
    buffer_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_lives_until_its_last_reference_is_gone),
        cmocka_unit_test(the_pool_keeps_no_more_than_its_limit),
        cmocka_unit_test(a_buffer_that_comes_back_from_the_pool_is_empty),
        cmocka_unit_test(giving_back_no_buffer_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
