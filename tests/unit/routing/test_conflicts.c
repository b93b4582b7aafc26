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
static const struct value_test version_present = {TEST_PRESENT, TEXT("version"), TEXT("")};
static const struct value_test version_2 = {TEST_EQUAL, TEXT("version"), TEXT("2")};

enum expected { NOTHING, TIE, IDENTICAL, UNREACHABLE, UNREACHABLE_FIRST };

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

    /* the first goes before the second and takes all of it, or the other way round */
    {{.prefix = TEXT("/a"), .priority = 1}, {.prefix = TEXT("/a"), .methods = 1}, UNREACHABLE},
    {{.prefix = TEXT("/a"), .methods = 1},
     {.prefix = TEXT("/a"), .priority = 1},
     UNREACHABLE_FIRST},
    {{.prefix = TEXT("/a"), .methods = 7}, {.prefix = TEXT("/a"), .methods = 6}, UNREACHABLE},
    {{.prefix = TEXT("/a"), .methods = 6}, {.prefix = TEXT("/a"), .methods = 7}, TIE},
    {{.exact = TEXT("/a"), .ignore_case = true}, {.exact = TEXT("/A")}, UNREACHABLE},
    {{.exact = TEXT("/a"), .ignore_case = true, .priority = -1}, {.exact = TEXT("/A")}, NOTHING},
    {{.prefix = TEXT("/a"), .headers = {&version_present, 1}},
     {.prefix = TEXT("/a"), .headers = {&version_2, 1}},
     UNREACHABLE},
    {{.prefix = TEXT("/a"), .headers = {&version_present, 1}, .priority = 1},
     {.prefix = TEXT("/a"), .cookies = {&version_2, 1}},
     NOTHING},
    {{.prefix = TEXT("/a"), .priority = 1},
     {.prefix = TEXT("/a"), .host = TEXT("a.org"), .methods = 1},
     NOTHING},

    /* every prefix goes before a regex without one */
    {{.prefix = TEXT("/")}, {.regex = TEXT("x")}, UNREACHABLE},
    {{.regex = TEXT("x"), .ignore_case = true}, {.prefix = TEXT("/")}, UNREACHABLE_FIRST},
    {{.prefix = TEXT("/"), .methods = 1}, {.regex = TEXT("x")}, NOTHING},
    {{.prefix = TEXT("/"), .methods = 1}, {.regex = TEXT("x"), .methods = 1}, UNREACHABLE},
    {{.prefix = TEXT("/"), .host = TEXT("a.org")}, {.regex = TEXT("x")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/u/[0-9]+$")}, UNREACHABLE},
    {{.prefix = TEXT("/u/")}, {.regex = TEXT("^/u/.")}, UNREACHABLE},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/u")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/u/?$")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/us/")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("/u/[0-9]+$")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/u/a|^/b")}, NOTHING},
    {{.prefix = TEXT("/u")}, {.regex = TEXT("^/u/x"), .ignore_case = true}, NOTHING},
    {{.prefix = TEXT("/u"), .ignore_case = true},
     {.regex = TEXT("^/u/x"), .ignore_case = true},
     UNREACHABLE},
    {{.exact = TEXT("/u")}, {.regex = TEXT("^/u$")}, NOTHING},
    {{.prefix = TEXT("/u"), .regex = TEXT("a"), .priority = 1},
     {.prefix = TEXT("/u"), .regex = TEXT("a"), .methods = 1},
     UNREACHABLE},
};

static enum expected expected_of(const struct route_conflict *conflict)
{
    switch (conflict->kind) {
    case ROUTE_IDENTICAL:
        return IDENTICAL;
    case ROUTE_TIE:
        return TIE;
    case ROUTE_UNREACHABLE:
        break;
    }
    return conflict->second == 0 ? UNREACHABLE_FIRST : UNREACHABLE;
}

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
        enum expected found = count == 0 ? NOTHING : expected_of(&conflicts[0]);
        if (count > 1 || found != rows[i].expected)
            fail_msg("row %zu: %zu found, kind %d", i, count, (int)found);
        if (count == 1 && found != UNREACHABLE_FIRST) {
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
