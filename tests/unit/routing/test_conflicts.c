#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

static const struct value_test two_tests[] = {{TEST_PRESENT, TEXT("a"), TEXT("")},
                                              {TEST_EQUAL, TEXT("b"), TEXT("1")}};
static const struct value_test two_reversed[] = {{TEST_EQUAL, TEXT("b"), TEXT("1")},
                                                 {TEST_PRESENT, TEXT("a"), TEXT("")},
                                                 {TEST_PRESENT, TEXT("a"), TEXT("")}};
static const struct value_test version_1 = {TEST_EQUAL, TEXT("version"), TEXT("1")};
static const struct value_test version_2 = {TEST_EQUAL, TEXT("version"), TEXT("2")};

enum expected { NOTHING, TIE, IDENTICAL };

struct conflict_row {
    struct route_spec a;
    struct route_spec b;
    enum expected expected;
};

static const struct conflict_row rows[] = {
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/a")}, IDENTICAL},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/%61")}, IDENTICAL},
    {{.prefix = TEXT("/a"), .priority = 1}, {.prefix = TEXT("/a")}, IDENTICAL},
    {{.prefix = TEXT("/a"), .ignore_case = true},
     {.prefix = TEXT("/A"), .ignore_case = true},
     IDENTICAL},
    {{.prefix = TEXT("/a"), .headers = {two_tests, 2}},
     {.prefix = TEXT("/a"), .headers = {two_reversed, 3}},
     IDENTICAL},
    {{.regex = TEXT("a")}, {.regex = TEXT("a")}, IDENTICAL},
    {{.host = TEXT("a.org"), .exact = TEXT("/")},
     {.host = TEXT("a.org"), .exact = TEXT("/")},
     IDENTICAL},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/a"), .ignore_case = true}, TIE},
    {{.prefix = TEXT("/a"), .headers = {two_tests, 2}},
     {.prefix = TEXT("/a"), .query = {two_tests, 2}},
     TIE},
    {{.prefix = TEXT("/a"), .methods = 3}, {.prefix = TEXT("/a"), .methods = 6}, TIE},
    {{.regex = TEXT("a")}, {.regex = TEXT("b")}, TIE},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/b")}, NOTHING},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/A")}, NOTHING},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/a/b")}, NOTHING},
    {{.prefix = TEXT("/a")}, {.exact = TEXT("/a")}, NOTHING},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/a"), .host = TEXT("a.org")}, NOTHING},
    {{.prefix = TEXT("/a")}, {.prefix = TEXT("/a"), .methods = 1}, NOTHING},
    {{.prefix = TEXT("/a"), .methods = 1}, {.prefix = TEXT("/a"), .methods = 2}, NOTHING},
    {{.prefix = TEXT("/a"), .headers = {&version_1, 1}},
     {.prefix = TEXT("/a"), .headers = {&version_2, 1}},
     NOTHING},
    {{.regex = TEXT("a"), .priority = 1}, {.regex = TEXT("b")}, NOTHING},
};

static void identical_routes_and_ties_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        struct route_conflict conflicts[4];
        fixture_init(&fixture);
        fixture_add(&fixture, rows[i].a);
        fixture_add(&fixture, rows[i].b);
        size_t count = route_table_builder_conflicts(fixture.builder, conflicts, 4);
        enum expected found = count == 0 ? NOTHING : conflicts[0].identical ? IDENTICAL : TIE;
        if (count > 1 || found != rows[i].expected)
            fail_msg("row %zu: %zu found, kind %d", i, count, (int)found);
        if (count == 1) {
            assert_int_equal(conflicts[0].first, 0);
            assert_int_equal(conflicts[0].second, 1);
        }
        fixture_done(&fixture);
    }
}

static void no_more_conflicts_are_written_than_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct route_conflict conflicts[5];
    for (int i = 0; i < 10; i++)
        fixture_add(fixture, (struct route_spec){.prefix = TEXT("/a")});
    assert_int_equal(route_table_builder_conflicts(fixture->builder, conflicts, 5), 5);
    assert_int_equal(route_table_builder_conflicts(fixture->builder, conflicts, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identical_routes_and_ties_are_told_apart),
        FIXTURE_TEST(no_more_conflicts_are_written_than_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
