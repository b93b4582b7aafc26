#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

static void assert_get(struct fixture *fixture, const char *target, const char *route)
{
    assert_string_equal(fixture_get(fixture, "example.org", target), route);
}

static void a_prefix_takes_whole_segments(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("users"), .prefix = TEXT("/api/users")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("slash"), .prefix = TEXT("/docs/")});
    fixture_build(fixture);
    assert_get(fixture, "/api/users", "users");
    assert_get(fixture, "/api/users/", "users");
    assert_get(fixture, "/api/users/1", "users");
    assert_get(fixture, "/api/users?x", "users");
    assert_get(fixture, "/api/usersX", "-");
    assert_get(fixture, "/api/user", "-");
    assert_get(fixture, "/API/users", "-");
    assert_get(fixture, "/", "-");
    assert_get(fixture, "/docs/", "slash");
    assert_get(fixture, "/docs/a", "slash");
    assert_get(fixture, "/docs", "-");
}

static void the_root_prefix_takes_everything(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("root"), .prefix = TEXT("/")});
    fixture_build(fixture);
    assert_get(fixture, "/", "root");
    assert_get(fixture, "/a/b/c", "root");
    assert_get(fixture, "//", "root");
}

static void case_is_ignored_only_where_asked(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("prefix"), .prefix = TEXT("/Api"), .ignore_case = true});
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("exact"), .exact = TEXT("/Login"), .ignore_case = true});
    fixture_add(fixture, (struct route_spec){.name = TEXT("regex"),
                                             .regex = TEXT("^/r[a-c]$"),
                                             .ignore_case = true});
    fixture_add(fixture, (struct route_spec){.name = TEXT("strict"), .exact = TEXT("/Strict")});
    fixture_build(fixture);
    assert_get(fixture, "/aPI/x", "prefix");
    assert_get(fixture, "/LOGIN", "exact");
    assert_get(fixture, "/login/", "-");
    assert_get(fixture, "/RB", "regex");
    assert_get(fixture, "/Strict", "strict");
    assert_get(fixture, "/strict", "-");
}

static void routes_that_differ_in_case_live_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("lower"), .prefix = TEXT("/a")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("upper"), .prefix = TEXT("/A")});
    fixture_build(fixture);
    assert_get(fixture, "/a/x", "lower");
    assert_get(fixture, "/A/x", "upper");
}

static void matching_sees_the_canonical_path(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("a"), .prefix = TEXT("/caf%c3%a9/%61")});
    fixture_build(fixture);
    assert_get(fixture, "/x/../caf%C3%A9/a", "a");
    assert_get(fixture, "/caf%c3%a9/%61/b", "a");
    assert_get(fixture, "/caf%c3%a9%2fa", "-"); /* ambiguous */
    assert_get(fixture, "*", "-");
}

static void hosts_are_compared_without_their_port(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("name"),
                                             .host = TEXT("example.org"),
                                             .prefix = TEXT("/")});
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("v6"), .host = TEXT("[::1]"), .prefix = TEXT("/")});
    fixture_build(fixture);
    assert_string_equal(fixture_get(fixture, "example.org", "/"), "name");
    assert_string_equal(fixture_get(fixture, "example.org:8443", "/"), "name");
    assert_string_equal(fixture_get(fixture, "example.org.", "/"), "name");
    assert_string_equal(fixture_get(fixture, "example.org.:80", "/"), "name");
    assert_string_equal(fixture_get(fixture, "[::1]", "/"), "v6");
    assert_string_equal(fixture_get(fixture, "[::1]:80", "/"), "v6");
    assert_string_equal(fixture_get(fixture, "[::1", "/"), "-");
    assert_string_equal(fixture_get(fixture, "www.example.org", "/"), "-");
    assert_string_equal(fixture_get(fixture, "", "/"), "-");
    assert_string_equal(fixture_get(fixture, ":80", "/"), "-");
}

static void a_wildcard_host_stands_for_one_or_more_labels(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("short"),
                                             .host = TEXT("*.example.org"),
                                             .prefix = TEXT("/")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("long"),
                                             .host = TEXT("*.eu.example.org"),
                                             .prefix = TEXT("/x")});
    fixture_build(fixture);
    assert_string_equal(fixture_get(fixture, "a.example.org", "/"), "short");
    assert_string_equal(fixture_get(fixture, "a.b.example.org", "/"), "short");
    assert_string_equal(fixture_get(fixture, "example.org", "/"), "-");
    assert_string_equal(fixture_get(fixture, ".example.org", "/"), "-");
    assert_string_equal(fixture_get(fixture, "aexample.org", "/"), "-");
    assert_string_equal(fixture_get(fixture, "a.eu.example.org", "/x"), "long");
    assert_string_equal(fixture_get(fixture, "a.eu.example.org", "/y"), "short");
    assert_string_equal(fixture_get(fixture, "eu.example.org", "/x"), "short");
}

static const char *find_with(struct fixture *fixture, const char *method, const char *target,
                             const char *name, const char *value)
{
    struct request_head request = fixture_request(fixture, method, "a", target);
    fixture_header(fixture, &request, name, value);
    return fixture_find(fixture, &request);
}

static void methods_are_one_of_the_named(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("get"),
                                             .prefix = TEXT("/"),
                                             .methods = 1u << METHOD_GET | 1u << METHOD_HEAD});
    fixture_build(fixture);
    assert_string_equal(find_with(fixture, "GET", "/", "x", "y"), "get");
    assert_string_equal(find_with(fixture, "HEAD", "/", "x", "y"), "get");
    assert_string_equal(find_with(fixture, "POST", "/", "x", "y"), "-");
    /* an extended CONNECT */
    assert_string_equal(find_with(fixture, "CONNECT", "/", ":protocol", "websocket"), "get");
}

static void header_conditions_test_any_field_of_the_name(void **state)
{
    struct fixture *fixture = *state;
    static const struct value_test tests[] = {
        {TEST_PRESENT, TEXT("x-debug"), TEXT("")},
        {TEST_EQUAL, TEXT("x-api-version"), TEXT("2")},
        {TEST_REGEX, TEXT("accept"), TEXT("json$")},
    };
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("all"), .prefix = TEXT("/"), .headers = {tests, 3}});
    fixture_build(fixture);
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    fixture_header(fixture, &request, "x-debug", "");
    fixture_header(fixture, &request, "x-api-version", "1");
    fixture_header(fixture, &request, "accept", "application/json");
    assert_string_equal(fixture_find(fixture, &request), "-");
    fixture_header(fixture, &request, "x-api-version", "2");
    assert_string_equal(fixture_find(fixture, &request), "all");
    fixture_header(fixture, &request, "accept", "json, text/html");
    assert_string_equal(fixture_find(fixture, &request), "all");
}

static void query_conditions_compare_decoded_parameters(void **state)
{
    struct fixture *fixture = *state;
    static const struct value_test equal = {TEST_EQUAL, TEXT("a b"), TEXT("x&y=")};
    static const struct value_test regex = {TEST_REGEX, TEXT("id"), TEXT("^[0-9]+$")};
    static const struct value_test present = {TEST_PRESENT, TEXT("debug"), TEXT("")};
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("equal"), .prefix = TEXT("/e"), .query = {&equal, 1}});
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("regex"), .prefix = TEXT("/r"), .query = {&regex, 1}});
    fixture_add(
        fixture,
        (struct route_spec){.name = TEXT("present"), .prefix = TEXT("/p"), .query = {&present, 1}});
    fixture_build(fixture);
    assert_get(fixture, "/e?a+b=x%26y%3d", "equal");
    assert_get(fixture, "/e?c&&%61%20b=x%26y%3D&d", "equal");
    assert_get(fixture, "/e?a+b=1&a+b=x%26y=", "equal");
    assert_get(fixture, "/e?a+b=x&y=", "-");
    assert_get(fixture, "/e?a+b=x%26y%3dz", "-");
    assert_get(fixture, "/e?a+bc=x%26y%3d", "-");
    assert_get(fixture, "/e", "-");
    assert_get(fixture, "/r?id=%31%32", "regex");
    assert_get(fixture, "/r?id=1x", "-");
    assert_get(fixture, "/r?id=%", "-");
    assert_get(fixture, "/p?debug", "present");
    assert_get(fixture, "/p?debug=", "present");
    assert_get(fixture, "/p?x=debug", "-");
}

static void cookie_conditions_test_the_first_cookie_of_the_name(void **state)
{
    struct fixture *fixture = *state;
    static const struct value_test test = {TEST_EQUAL, TEXT("beta"), TEXT("1")};
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("beta"), .prefix = TEXT("/"), .cookies = {&test, 1}});
    fixture_build(fixture);
    assert_string_equal(find_with(fixture, "GET", "/", "cookie", "a=b; beta=1"), "beta");
    assert_string_equal(find_with(fixture, "GET", "/", "cookie", "beta=2; beta=1"), "-");
    assert_string_equal(find_with(fixture, "GET", "/", "cookie", "alphabeta=1"), "-");
}

static void a_regex_is_a_search_on_the_whole_path(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("page"),
                                             .prefix = TEXT("/u"),
                                             .regex = TEXT("^/u/[0-9]+$")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("image"), .regex = TEXT("\\.png$")});
    fixture_add(fixture, (struct route_spec){.name = TEXT("anchored"), .regex = TEXT("^/an*chor")});
    fixture_build(fixture);
    assert_get(fixture, "/u/42", "page");
    assert_get(fixture, "/u/x", "-");
    assert_get(fixture, "/u/x.png", "image");
    assert_get(fixture, "/achor", "anchored");
    assert_get(fixture, "/annchor", "anchored");
    assert_get(fixture, "/x/anchor", "-");
}

static void a_regex_that_runs_away_does_not_match(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture,
                (struct route_spec){.name = TEXT("slow"), .regex = TEXT("^/(a+)+(b|c+)+$")});
    fixture_build(fixture);
    char target[2000] = "/";
    memset(target + 1, 'a', sizeof(target) - 3);
    target[sizeof(target) - 2] = 'd';
    assert_get(fixture, target, "-");
    assert_get(fixture, "/aab", "slow");
}

static void a_table_without_routes_takes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_build(fixture);
    assert_get(fixture, "/", "-");
    route_table_unref(route_table_ref(fixture->table));
    assert_get(fixture, "/a", "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_prefix_takes_whole_segments),
        FIXTURE_TEST(the_root_prefix_takes_everything),
        FIXTURE_TEST(case_is_ignored_only_where_asked),
        FIXTURE_TEST(routes_that_differ_in_case_live_side_by_side),
        FIXTURE_TEST(matching_sees_the_canonical_path),
        FIXTURE_TEST(hosts_are_compared_without_their_port),
        FIXTURE_TEST(a_wildcard_host_stands_for_one_or_more_labels),
        FIXTURE_TEST(methods_are_one_of_the_named),
        FIXTURE_TEST(header_conditions_test_any_field_of_the_name),
        FIXTURE_TEST(query_conditions_compare_decoded_parameters),
        FIXTURE_TEST(cookie_conditions_test_the_first_cookie_of_the_name),
        FIXTURE_TEST(a_regex_is_a_search_on_the_whole_path),
        FIXTURE_TEST(a_regex_that_runs_away_does_not_match),
        FIXTURE_TEST(a_table_without_routes_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
