#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

static const struct value_test debug_header = {TEST_PRESENT, TEXT("x-debug"), TEXT("")};

/* Two routes that take the same request, written in the wrong order, and which of them goes first.
 */
struct precedence_row {
    struct route_spec loses;
    struct route_spec wins;
};

#define LOSES .name = TEXT("loses")
#define WINS .name = TEXT("wins")

static const struct precedence_row rows[] = {
    /* host: exact, wildcard (longer first), none; before anything about the path */
    {{LOSES, .exact = TEXT("/a/b")}, {WINS, .host = TEXT("www.example.org"), .regex = TEXT("b")}},
    {{LOSES, .exact = TEXT("/a/b")}, {WINS, .host = TEXT("*.org"), .regex = TEXT("b")}},
    {{LOSES, .host = TEXT("*.example.org"), .exact = TEXT("/a/b")},
     {WINS, .host = TEXT("www.example.org"), .prefix = TEXT("/")}},
    {{LOSES, .host = TEXT("*.org"), .exact = TEXT("/a/b"), .priority = 9},
     {WINS, .host = TEXT("*.example.org"), .prefix = TEXT("/")}},
    /* path: exact, longest prefix, regex alone; before priority */
    {{LOSES, .prefix = TEXT("/a/b"), .priority = 9}, {WINS, .exact = TEXT("/a/b")}},
    {{LOSES, .prefix = TEXT("/a"), .priority = 9}, {WINS, .prefix = TEXT("/a/b")}},
    {{LOSES, .prefix = TEXT("/a"), .regex = TEXT("^/a/b$"), .priority = 9},
     {WINS, .prefix = TEXT("/a/b"), .priority = -1}},
    {{LOSES, .regex = TEXT("^/a/b$"), .priority = 9}, {WINS, .prefix = TEXT("/")}},
    /* priority, before the number of conditions */
    {{LOSES, .prefix = TEXT("/a"), .headers = {&debug_header, 1}},
     {WINS, .prefix = TEXT("/a"), .priority = 1}},
    {{LOSES, .regex = TEXT("b$")}, {WINS, .regex = TEXT("a"), .priority = 1}},
    {{LOSES, .prefix = TEXT("/a"), .ignore_case = true},
     {WINS, .prefix = TEXT("/a"), .priority = 1}},
    /* the number of conditions */
    {{LOSES, .prefix = TEXT("/a")}, {WINS, .prefix = TEXT("/a"), .headers = {&debug_header, 1}}},
    {{LOSES, .prefix = TEXT("/a"), .regex = TEXT("b")},
     {WINS, .prefix = TEXT("/a"), .regex = TEXT("b"), .methods = 1u << METHOD_GET}},
    {{LOSES, .exact = TEXT("/a/b")}, {WINS, .exact = TEXT("/a/b"), .methods = 1u << METHOD_GET}},
};

static void the_more_specific_route_goes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        fixture_add(&fixture, rows[i].loses);
        fixture_add(&fixture, rows[i].wins);
        fixture_build(&fixture);
        struct request_head request = fixture_request(&fixture, "GET", "www.example.org", "/a/b");
        fixture_header(&fixture, &request, "x-debug", "1");
        if (strcmp(fixture_find(&fixture, &request), "wins") != 0)
            fail_msg("row %zu is decided for the wrong route", i);
        fixture_done(&fixture);
    }
}

static void a_tie_falls_to_file_order(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("first"), .regex = TEXT("a")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("second"), .regex = TEXT("b")});
    fixture_build(fixture);
    assert_string_equal(fixture_get(fixture, "a", "/ab"), "first");
}

static void a_route_whose_conditions_fail_leaves_the_request_to_the_next(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t post = 1u << METHOD_POST;
    fixture_add(fixture, (struct route_spec){.name = TEXT("exact"),
                                             .host = TEXT("www.example.org"),
                                             .exact = TEXT("/a/b/c"),
                                             .methods = post});
    fixture_add(fixture, (struct route_spec){.name = TEXT("long"),
                                             .host = TEXT("www.example.org"),
                                             .prefix = TEXT("/a/b"),
                                             .headers = {&debug_header, 1}});
    fixture_add(fixture, (struct route_spec){.name = TEXT("short"),
                                             .host = TEXT("www.example.org"),
                                             .prefix = TEXT("/a"),
                                             .methods = 1u << METHOD_PUT});
    fixture_add(fixture, (struct route_spec){.name = TEXT("regex"),
                                             .host = TEXT("www.example.org"),
                                             .regex = TEXT("c$")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("wildcard"),
                                             .host = TEXT("*.example.org"),
                                             .prefix = TEXT("/a")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("anywhere"), .prefix = TEXT("/")});
    fixture_build(fixture);
    struct request_head request = fixture_request(fixture, "POST", "www.example.org", "/a/b/c");
    assert_string_equal(fixture_find(fixture, &request), "exact");
    request = fixture_request(fixture, "GET", "www.example.org", "/a/b/c");
    assert_string_equal(fixture_find(fixture, &request), "regex");
    fixture_header(fixture, &request, "x-debug", "");
    assert_string_equal(fixture_find(fixture, &request), "long");
    request = fixture_request(fixture, "PUT", "www.example.org", "/a/b/c");
    assert_string_equal(fixture_find(fixture, &request), "short");
    assert_string_equal(fixture_get(fixture, "www.example.org", "/a/b"), "wildcard");
    assert_string_equal(fixture_get(fixture, "www.example.org", "/b"), "anywhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_specific_route_goes_first),
        FIXTURE_TEST(a_tie_falls_to_file_order),
        FIXTURE_TEST(a_route_whose_conditions_fail_leaves_the_request_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
