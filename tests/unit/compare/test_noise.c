#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/compare/noise.h"
#include "proxy/compare/path_template.h"

static void a_difference_is_real_when_all_three_conditions_hold(void **state)
{
    (void)state;
    static const struct {
        struct noise_counts counts;
        enum noise_judgement judgement;
    } rows[] = {
        {{0, 0, 0}, NOISE_LEARNING},
        {{19, 0, 19}, NOISE_LEARNING},
        {{1, 0, 20}, NOISE_REAL},
        {{0, 0, 20}, NOISE_NOISE},
        {{10, 10, 100}, NOISE_NOISE},
        {{5, 10, 100}, NOISE_NOISE},
        /* more than 20 % apart: 60 and 40 are exactly 20 */
        {{60, 40, 1000}, NOISE_NOISE},
        {{61, 40, 1000}, NOISE_REAL},
        /* more than 0.03 % of all: 3 of 10 000 are exactly that */
        {{3, 0, 10000}, NOISE_NOISE},
        {{4, 0, 10000}, NOISE_REAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(noise_judge(&rows[i].counts), rows[i].judgement);
}

static void paths_lose_what_is_particular(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"/", "/"},
        {"/api/users/17", "/api/users/{id}"},
        {"/api/users/17/", "/api/users/{id}/"},
        {"/v2/0", "/v2/{id}"},
        {"/a/123e4567-e89b-12d3-a456-426614174000/b", "/a/{uuid}/b"},
        {"/k/0123456789abcdef0123", "/k/{key}"},
        {"/forum/c/taking-things-apart", "/forum/c/taking-things-apart"},
        {"//17//x", "//{id}//x"},
    };
    struct arena arena;
    arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strview text = path_template_of(&arena, strview_of(rows[i][0]));
        assert_true(strview_equal(text, strview_of(rows[i][1])));
    }
    char path[1000];
    memset(path, 'a', sizeof(path));
    assert_int_equal(path_template_of(&arena, strview_make(path, sizeof(path))).length, 3);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_is_real_when_all_three_conditions_hold),
        cmocka_unit_test(paths_lose_what_is_particular),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
