#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

/* The path after the rewrite of the only route, NULL when it is refused. */
static const char *rewritten(struct fixture *fixture, const char *regex, const char *path,
                             const char *target)
{
    struct fixture inner;
    fixture_init(&inner);
    fixture_add(&inner, (struct route_spec){.name = TEXT("r"),
                                            .prefix = TEXT("/"),
                                            .rewrite_regex = strview_of(regex),
                                            .rewrite_path = strview_of(path)});
    fixture_build(&inner);
    struct request_head request = fixture_request(&inner, "GET", "a", target);
    const struct route *route = route_table_find(inner.table, &request, inner.scratch);
    assert_non_null(route);
    struct strview result;
    const char *text = NULL;
    if (route_rewrite_apply(route, request.path, &inner.arena, inner.scratch, &result))
        text = arena_copy(&fixture->arena, result).data;
    fixture_done(&inner);
    return text;
}

static void the_match_is_replaced_and_groups_are_filled_in(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(rewritten(fixture, "^/u/([0-9]+)$", "/users/$1", "/u/42"), "/users/42");
    assert_string_equal(rewritten(fixture, "^/api/2.0/", "/v2/", "/api/2.0/users/1"),
                        "/v2/users/1");
    assert_string_equal(rewritten(fixture, "(?<id>[0-9]+)", "x${id}y${1}", "/a/7/8"), "/a/x7y7/8");
    assert_string_equal(rewritten(fixture, "^/(a)?(b)", "/$$$1-$2", "/bc"), "/$-bc");
    assert_string_equal(rewritten(fixture, "$", "/end", "/a"), "/a/end");
    assert_string_equal(rewritten(fixture, "^/api", "", "/api/a"), "/a");
    assert_string_equal(rewritten(fixture, "^/nothing", "/x", "/a/b"), "/a/b");
}

static void a_result_that_is_not_canonical_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_null(rewritten(fixture, "^/", "x", "/a"));
    assert_null(rewritten(fixture, "^/x(.*)", "/$1", "/x../etc"));
    assert_null(rewritten(fixture, "^/(.)x(.)", "/$1$2/", "/.x./"));
}

static void malformed_rewrites_are_refused_with_their_place(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct strview regex;
        struct strview path;
        enum route_part part;
        size_t offset;
    } bad[] = {
        {TEXT("^/(a"), TEXT("/x"), ROUTE_PART_REWRITE_REGEX, 4},
        {TEXT("^/(a)"), TEXT("/x/$2"), ROUTE_PART_REWRITE_PATH, 3},
        {TEXT("^/(a)"), TEXT("/x/${b}"), ROUTE_PART_REWRITE_PATH, 3},
        {TEXT("^/(a)"), TEXT("/x/${1"), ROUTE_PART_REWRITE_PATH, 3},
        {TEXT("^/(a)"), TEXT("/x$"), ROUTE_PART_REWRITE_PATH, 2},
        {TEXT("^/(a)"), TEXT("/x$a"), ROUTE_PART_REWRITE_PATH, 2},
        {TEXT("^/(a)"), TEXT("/x?y"), ROUTE_PART_REWRITE_PATH, 0},
        {TEXT("^/(a)"), TEXT("/x y"), ROUTE_PART_REWRITE_PATH, 0},
        {TEXT("^/(a)"), TEXT("/../x"), ROUTE_PART_REWRITE_PATH, 0},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct route_fault fault = {0};
        struct route_spec spec = {
            .prefix = TEXT("/"), .rewrite_regex = bad[i].regex, .rewrite_path = bad[i].path};
        assert_false(route_table_builder_add(fixture->builder, &spec, &fault));
        assert_int_equal(fault.part, bad[i].part);
        assert_int_equal(fault.offset, bad[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_match_is_replaced_and_groups_are_filled_in),
        FIXTURE_TEST(a_result_that_is_not_canonical_is_refused),
        FIXTURE_TEST(malformed_rewrites_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
