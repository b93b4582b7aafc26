#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/block_pool.h"

enum { KEPT_BYTES_MAX = 4096 };

static void assert_aligned(const void *memory)
{
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
}

static void every_piece_is_aligned_and_all_its_bytes_can_be_used(void **state)
{
    (void)state;
    struct block_pool pool;
    block_pool_init(&pool, KEPT_BYTES_MAX);
    for (size_t bytes = 0; bytes < 3 * BLOCK_BYTES_MAX; bytes += 7) {
        void *memory = block_alloc(&pool, bytes);
        assert_aligned(memory);
        memset(memory, 0xff, bytes);
        block_free(&pool, memory);
    }
    block_pool_done(&pool);
}

static void zeroed_memory_is_zero_also_when_it_was_used(void **state)
{
    (void)state;
    struct block_pool pool;
    block_pool_init(&pool, KEPT_BYTES_MAX);
    const size_t sizes[] = {1, 64, BLOCK_BYTES_MAX, BLOCK_BYTES_MAX + 1, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        void *used = block_alloc(&pool, sizes[i]);
        memset(used, 0xff, sizes[i]);
        block_free(&pool, used);
        const char *memory = block_zalloc(&pool, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(memory[at], 0);
        block_free(&pool, (void *)(uintptr_t)memory);
    }
    block_pool_done(&pool);
}

static void a_piece_that_grows_and_shrinks_keeps_its_bytes(void **state)
{
    (void)state;
    struct block_pool pool;
    block_pool_init(&pool, KEPT_BYTES_MAX);
    const size_t sizes[] = {10, 32, 33, 500, 40, BLOCK_BYTES_MAX, 5000, 100000, 20, 3000};
    size_t before = 0;
    char *memory = NULL;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memory = block_realloc(&pool, memory, sizes[i]);
        assert_aligned(memory);
        for (size_t at = 0; at < before && at < sizes[i]; at++)
            assert_int_equal(memory[at], (char)('a' + at % 26));
        for (size_t at = 0; at < sizes[i]; at++)
            memory[at] = (char)('a' + at % 26);
        before = sizes[i];
    }
    block_free(&pool, memory);
    block_pool_done(&pool);
}

static void no_more_is_kept_than_allowed_and_large_pieces_never(void **state)
{
    (void)state;
    enum { PIECES = 100 };
    struct block_pool pool;
    void *pieces[PIECES];
    block_pool_init(&pool, KEPT_BYTES_MAX);
    for (size_t i = 0; i < PIECES; i++)
        pieces[i] = block_alloc(&pool, i % 2 == 0 ? 200 : 100000);
    for (size_t i = 0; i < PIECES; i++)
        block_free(&pool, pieces[i]);
    assert_true(pool.kept_bytes <= KEPT_BYTES_MAX);
    assert_true(pool.kept_bytes % 224 == 0); /* 200, rounded up */
    block_pool_done(&pool);
    assert_int_equal(pool.kept_bytes, 0);
}

static void what_cannot_be_had_is_not_given(void **state)
{
    (void)state;
    struct block_pool pool;
    block_pool_init(&pool, KEPT_BYTES_MAX);
    assert_null(block_alloc(&pool, SIZE_MAX));
    assert_null(block_zalloc(&pool, SIZE_MAX - 8));
    char *memory = block_alloc(&pool, 8);
    memcpy(memory, "as it w", 8);
    assert_null(block_realloc(&pool, memory, SIZE_MAX));
    assert_string_equal(memory, "as it w");
    block_free(&pool, memory);
    block_free(&pool, NULL);
    block_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_aligned_and_all_its_bytes_can_be_used),
        cmocka_unit_test(zeroed_memory_is_zero_also_when_it_was_used),
        cmocka_unit_test(a_piece_that_grows_and_shrinks_keeps_its_bytes),
        cmocka_unit_test(no_more_is_kept_than_allowed_and_large_pieces_never),
        cmocka_unit_test(what_cannot_be_had_is_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
