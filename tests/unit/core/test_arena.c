#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/core/arena.h"

enum { POOL_KEPT_MAX = 3 };

static void assert_aligned(const void *memory)
{
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
}

static void every_piece_is_aligned_for_any_type(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    for (size_t bytes = 1; bytes < 300; bytes++)
        assert_aligned(arena_alloc(&arena, bytes));
    assert_aligned(arena_alloc(&arena, ARENA_CHUNK_BYTES + 1));
    assert_aligned(arena_alloc(&arena, 1));
    arena_done(&arena);
}

static void a_piece_without_bytes_has_an_address_too(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    assert_aligned(arena_alloc(&arena, 0));
    assert_aligned(arena_zalloc(&arena, 0));
    arena_done(&arena);
}

static void no_piece_overlaps_another(void **state)
{
    (void)state;
    enum { PIECES = 400 };
    static const size_t sizes[] = {1, 16, 17, 100, 2000, 2049, 4000, 4096, 9000};
    struct arena arena;
    unsigned char *pieces[PIECES];
    arena_init(&arena, NULL);
    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = sizes[i * 7 % (sizeof(sizes) / sizeof(sizes[0]))];
        pieces[i] = arena_alloc(&arena, bytes);
        memset(pieces[i], (int)(i & 0xff), bytes);
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t bytes = sizes[i * 7 % (sizeof(sizes) / sizeof(sizes[0]))];
        for (size_t j = 0; j < bytes; j++)
            assert_int_equal(pieces[i][j], i & 0xff);
    }
    arena_done(&arena);
}

static void a_large_piece_does_not_waste_the_chunk_in_use(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    char *before = arena_alloc(&arena, 16);
    char *large = arena_alloc(&arena, 100000);
    char *after = arena_alloc(&arena, 16);
    memset(large, 1, 100000);
    assert_ptr_equal(after, before + 16);
    arena_done(&arena);
}

static void a_large_first_piece_is_followed_by_small_ones(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    memset(arena_alloc(&arena, 100000), 1, 100000);
    for (int i = 0; i < 1000; i++)
        memset(arena_alloc(&arena, 24), 2, 24);
    arena_done(&arena);
}

static void chunks_return_to_their_pool_up_to_its_limit(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, POOL_KEPT_MAX);
    arena_init(&arena, &pool);
    for (int i = 0; i < 10; i++)
        arena_alloc(&arena, ARENA_CHUNK_BYTES / 2);
    assert_int_equal(pool.kept, 0);
    arena_done(&arena);
    assert_int_equal(pool.kept, POOL_KEPT_MAX);
    arena_pool_done(&pool);
    assert_int_equal(pool.kept, 0);
}

static void a_chunk_is_taken_from_the_pool_before_the_system_is_asked(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena first;
    struct arena second;
    arena_pool_init(&pool, POOL_KEPT_MAX);
    arena_init(&first, &pool);
    char *memory = arena_alloc(&first, 64);
    arena_done(&first);
    arena_init(&second, &pool);
    assert_ptr_equal(arena_alloc(&second, 64), memory);
    assert_int_equal(pool.kept, 0);
    arena_done(&second);
    assert_int_equal(pool.kept, 1);
    arena_pool_done(&pool);
}

static void chunks_of_a_size_of_their_own_are_not_kept(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, POOL_KEPT_MAX);
    arena_init(&arena, &pool);
    arena_alloc(&arena, 100000);
    arena_alloc(&arena, ARENA_CHUNK_BYTES * 2);
    arena_done(&arena);
    assert_int_equal(pool.kept, 0);
    arena_pool_done(&pool);
}

static void an_arena_can_be_used_again_after_it_was_dropped(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, POOL_KEPT_MAX);
    arena_init(&arena, &pool);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++)
            memset(arena_alloc(&arena, 100), round, 100);
        assert_true(arena.bytes >= 100 * 100 && arena.bytes < 100 * (100 + 16));
        arena_done(&arena);
        assert_int_equal(arena.bytes, 0);
        assert_int_equal(pool.kept, POOL_KEPT_MAX);
    }
    arena_pool_done(&pool);
}

static void zeroed_memory_is_zero_also_when_its_chunk_was_used(void **state)
{
    (void)state;
    struct arena_pool pool;
    struct arena arena;
    arena_pool_init(&pool, POOL_KEPT_MAX);
    arena_init(&arena, &pool);
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_done(&arena);
    const char *memory = arena_zalloc(&arena, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(memory[i], 0);
    arena_done(&arena);
    arena_pool_done(&pool);
}

static void copies_have_a_terminator_behind_their_end(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    memset(arena_alloc(&arena, 64), 'x', 64);
    struct strview copy = arena_copy(&arena, strview_make("a\0b", 3));
    assert_int_equal(copy.length, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    struct strview empty = arena_copy(&arena, STRVIEW_NONE);
    assert_int_equal(empty.length, 0);
    assert_int_equal(empty.data[0], '\0');
    arena_done(&arena);
}

static void a_printed_text_may_be_longer_than_a_chunk(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL);
    struct strview text = arena_printf(&arena, "%05000d%s", 7, "end");
    assert_int_equal(text.length, 5003);
    assert_string_equal(text.data + 4999, "7end");
    assert_int_equal(arena_printf(&arena, "%s", "").length, 0);
    arena_done(&arena);
}

static void many_texts_are_copied_in_one_piece(void **state)
{
    (void)state;
    struct arena arena;
    char text[] = "abc";
    struct strview views[] = {strview_of(text), STRVIEW_NONE, strview_make(text + 1, 2)};
    struct strview *const all[] = {&views[0], &views[1], &views[2]};
    arena_init(&arena, NULL);
    arena_copy_all(&arena, all, 3);
    memset(text, 'x', 3);
    assert_true(strview_equal(views[0], STRVIEW("abc")));
    assert_int_equal(views[1].length, 0);
    assert_true(strview_equal(views[2], STRVIEW("bc")));
    assert_ptr_equal(views[2].data, views[0].data + 3);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_texts_are_copied_in_one_piece),
        cmocka_unit_test(every_piece_is_aligned_for_any_type),
        cmocka_unit_test(a_piece_without_bytes_has_an_address_too),
        cmocka_unit_test(no_piece_overlaps_another),
        cmocka_unit_test(a_large_piece_does_not_waste_the_chunk_in_use),
        cmocka_unit_test(a_large_first_piece_is_followed_by_small_ones),
        cmocka_unit_test(chunks_return_to_their_pool_up_to_its_limit),
        cmocka_unit_test(a_chunk_is_taken_from_the_pool_before_the_system_is_asked),
        cmocka_unit_test(chunks_of_a_size_of_their_own_are_not_kept),
        cmocka_unit_test(an_arena_can_be_used_again_after_it_was_dropped),
        cmocka_unit_test(zeroed_memory_is_zero_also_when_its_chunk_was_used),
        cmocka_unit_test(copies_have_a_terminator_behind_their_end),
        cmocka_unit_test(a_printed_text_may_be_longer_than_a_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
