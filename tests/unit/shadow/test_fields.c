#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "proxy/shadow/capture.h"
#include "proxy/shadow/field_table.h"

static void counts_belong_to_module_template_and_field(void **state)
{
    (void)state;
    struct field_table *table = field_table_new();
    field_table_get(table, STRVIEW("a"), STRVIEW("b"), STRVIEW("c"))->raw = 7;
    assert_int_equal(field_table_get(table, STRVIEW("a"), STRVIEW("b"), STRVIEW("c"))->raw, 7);
    assert_int_equal(field_table_get(table, STRVIEW("a"), STRVIEW("bc"), STRVIEW(""))->raw, 0);
    assert_int_equal(field_table_get(table, STRVIEW("ab"), STRVIEW(""), STRVIEW("c"))->raw, 0);
    assert_int_equal(field_table_get(table, STRVIEW(""), STRVIEW("ab"), STRVIEW("c"))->raw, 0);
    assert_true(field_table_has(table, STRVIEW("ab"), STRVIEW(""), STRVIEW("c")));
    assert_false(field_table_has(table, STRVIEW("a"), STRVIEW("b"), STRVIEW("")));
    field_table_free(table);
}

static void a_full_table_keeps_what_it_has(void **state)
{
    (void)state;
    struct field_table *table = field_table_new();
    for (unsigned i = 0; i < FIELD_TABLE_MAX + 100; i++) {
        char name[16];
        int length = snprintf(name, sizeof(name), "%u", i);
        struct noise_counts *counts =
            field_table_get(table, STRVIEW("m"), STRVIEW("/"), strview_make(name, (size_t)length));
        assert_int_equal(counts != NULL, i < FIELD_TABLE_MAX);
        if (counts != NULL)
            counts->noise = i;
    }
    assert_int_equal(field_table_get(table, STRVIEW("m"), STRVIEW("/"), STRVIEW("17"))->noise, 17);
    field_table_free(table);
}

static void a_capture_keeps_no_more_than_it_may(void **state)
{
    (void)state;
    struct shadow_budget budget = {.limit = 100000};
    struct shadow_memory memory;
    struct capture capture;
    char piece[1000] = "x";
    shadow_memory_init(&memory, &budget, NULL);
    capture_init(&capture, &memory, NULL, 10000);
    for (int i = 0; i < 10; i++)
        capture_body(&capture, piece, sizeof(piece));
    assert_false(capture.cut_off);
    assert_int_equal(capture.length, 10000);
    assert_int_equal(atomic_load(&budget.used), 10000);
    capture_body(&capture, piece, 1);
    assert_true(capture.cut_off);
    assert_int_equal(capture.length, 10000);
    capture_done(&capture);
    shadow_memory_done(&memory);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static bool is_cut_off_by_head(int64_t content_length, bool has_body)
{
    struct shadow_budget budget = {.limit = 100000};
    struct shadow_memory memory;
    struct capture capture;
    struct response_head head = {
        .status = 200, .content_length = content_length, .has_body = has_body};
    headers_init(&head.headers);
    shadow_memory_init(&memory, &budget, NULL);
    capture_init(&capture, &memory, NULL, 10000);
    capture_head(&capture, &head);
    capture_done(&capture);
    shadow_memory_done(&memory);
    return capture.cut_off;
}

static void an_answer_that_says_that_it_is_too_long_is_not_read(void **state)
{
    (void)state;
    assert_false(is_cut_off_by_head(10000, true));
    assert_true(is_cut_off_by_head(10001, true));
    assert_false(is_cut_off_by_head(-1, true));
    assert_false(is_cut_off_by_head(1 << 30, false)); /* to HEAD */
}

static void the_budget_is_never_exceeded(void **state)
{
    (void)state;
    struct shadow_budget budget = {.limit = 10000};
    struct shadow_memory memory;
    struct capture captures[4];
    char piece[4000] = "x";
    shadow_memory_init(&memory, &budget, NULL);
    for (int i = 0; i < 4; i++) {
        capture_init(&captures[i], &memory, NULL, 100000);
        capture_body(&captures[i], piece, sizeof(piece));
        assert_int_equal(captures[i].cut_off, i >= 2);
        assert_true(atomic_load(&budget.used) <= budget.limit);
    }
    for (int i = 0; i < 4; i++)
        capture_done(&captures[i]);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* Feeds both, piece by piece in the given order ('1' or '2'), and says whether they are the same.
 */
static bool are_same(const char *order, const char *const *pieces, uint64_t *ret_used)
{
    struct shadow_budget budget = {.limit = 1 << 20};
    struct shadow_memory memory;
    struct capture captures[2];
    char whole[2][64] = {"", ""};
    shadow_memory_init(&memory, &budget, NULL);
    capture_init(&captures[0], &memory, &captures[1], 40);
    capture_init(&captures[1], &memory, &captures[0], 40);
    for (size_t i = 0; order[i] != '\0'; i++) {
        size_t which = order[i] == '1' ? 0 : 1;
        size_t length = strlen(whole[which]);
        snprintf(whole[which] + length, sizeof(whole[which]) - length, "%s", pieces[i]);
        capture_body(&captures[which], pieces[i], strlen(pieces[i]));
    }
    for (size_t i = 0; i < 2; i++) {
        assert_false(capture_bodies_are_same(&captures[0], &captures[1]));
        captures[i].whole = true;
        if (!captures[i].cut_off)
            assert_true(strview_equal(capture_view(&captures[i]), strview_of(whole[i])));
    }
    bool same = capture_bodies_are_same(&captures[0], &captures[1]);
    *ret_used = memory.arena.bytes;
    for (size_t i = 0; i < 2; i++)
        capture_done(&captures[i]);
    shadow_memory_done(&memory);
    return same;
}

static void what_is_the_same_in_both_is_kept_once(void **state)
{
    (void)state;
    static const struct {
        const char *order;
        const char *pieces[5];
        bool same;
        uint64_t used; /* of the arena, which gives 16 bytes at least */
    } rows[] = {
        {"12", {"abc", "abc"}, true, 16},
        {"21", {"abc", "abc"}, true, 16},
        {"122", {"abcdef", "abc", "def"}, true, 16},
        {"1212", {"abc", "abc", "de", "de"}, true, 32},
        {"1221", {"abc", "abc", "de", "de"}, true, 32},
        {"2112", {"ab", "a", "bc", "c"}, true, 32},
        {"12", {"abc", "abd"}, false, 32},
        {"122", {"abcdef", "abc", "dex"}, false, 32},
        {"122", {"abcdef", "abc", "defg"}, false, 32},
        {"12", {"abc", "ab"}, false, 16},
        {"1", {"abc"}, false, 16},
        {"", {""}, true, 0},
        {"12", {"0123456789012345678901234567890123456789x", "0"}, false, 16}, /* cut off */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t used = 0;
        assert_int_equal(are_same(rows[i].order, rows[i].pieces, &used), rows[i].same);
        assert_true(used <= rows[i].used);
    }
}

static struct strview text_of(struct arena *arena, size_t length)
{
    char *bytes = arena_alloc(arena, length);
    memset(bytes, 'x', length);
    return strview_make(bytes, length);
}

static void heads_are_paid_for_and_a_bomb_of_them_is_cut_off(void **state)
{
    (void)state;
    struct shadow_budget budget = {.limit = SHADOW_OWN_BYTES + 100000};
    struct shadow_memory memory;
    struct capture captures[2];
    struct response_head head = {.status = 200};
    struct arena arena;
    arena_init(&arena, NULL);
    headers_init(&head.headers);
    headers_add(&head.headers, &arena, HEADER_OTHER, STRVIEW("x-large"), text_of(&arena, 60000));
    shadow_memory_init(&memory, &budget, NULL);
    assert_true(shadow_memory_charge(&memory));
    for (int i = 0; i < 2; i++) {
        capture_init(&captures[i], &memory, NULL, 1000);
        capture_head(&captures[i], &head);
        assert_int_equal(captures[i].status, 200);
        assert_int_equal(captures[i].cut_off, i == 1);
        assert_true(atomic_load(&budget.used) <= budget.limit);
        capture_done(&captures[i]);
    }
    assert_true(atomic_load(&budget.used) > 60000);
    shadow_memory_done(&memory);
    assert_int_equal(atomic_load(&budget.used), 0);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_belong_to_module_template_and_field),
        cmocka_unit_test(a_full_table_keeps_what_it_has),
        cmocka_unit_test(a_capture_keeps_no_more_than_it_may),
        cmocka_unit_test(an_answer_that_says_that_it_is_too_long_is_not_read),
        cmocka_unit_test(the_budget_is_never_exceeded),
        cmocka_unit_test(what_is_the_same_in_both_is_kept_once),
        cmocka_unit_test(heads_are_paid_for_and_a_bomb_of_them_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
