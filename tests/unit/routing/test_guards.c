#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

static const struct route_spec internal = {
    .name = TEXT("internal"), .prefix = TEXT("/internal"), .deny_status = 403};

/* The name of the route that refuses a GET, by its own path or a folded one, or "-". */
static const char *refused_from(struct fixture *fixture, const char *client, const char *target)
{
    struct ip_address ip = fixture_ip(client);
    struct request_head request = fixture_request(fixture, "GET", "example.org", target);
    const struct route *route = route_table_find(fixture->table, &request, fixture->scratch);
    if (route == NULL || route_refusal(route, &ip) == 0)
        route = route_table_find_guard(fixture->table, &request, &ip, &fixture->arena,
                                       fixture->scratch);
    return route != NULL ? route->name.data : "-";
}

static void assert_refused(struct fixture *fixture, const char *target)
{
    if (strcmp(refused_from(fixture, "192.0.2.1", target), "-") == 0)
        fail_msg("%s slips past", target);
}

static void assert_passes(struct fixture *fixture, const char *target)
{
    if (strcmp(refused_from(fixture, "192.0.2.1", target), "-") != 0)
        fail_msg("%s is refused", target);
}

static void no_spelling_slips_past_a_deny(void **state)
{
    struct fixture *fixture = *state;
    static const char *const spellings[] = {
        "/internal",
        "/internal/",
        "/internal/x?y",
        "//internal",
        "///internal//x",
        "/INTERNAL",
        "/Internal;x",
        "/INTERNAL;x",
        "/%69nternal",
        "/%49NTERNAL",
        "/%2569nternal",
        "/%25%36%39nternal",
        "/a/../internal",
        "/a/%2e%2e/internal",
        "/a/..;/internal",
        "/a/..%3b/internal",
        "/a/%252e%252e/internal",
        "/./internal",
        "/;/internal",
        "/internal%2f",
        "/internal%2fx",
        "/internal%252fx",
        "/%2finternal",
        "/internal%5cx",
        "/internal\\x",
        "/\\internal",
        "/internal%00",
        "/internal%00.png",
        "/internal%2500",
        "/internal%3fx",
        "/internal%23",
        "/internal/..;/x",
        "/internal/%252e%252e/x",
        "/internal%2f..%2fx",
        "/internal;/../x%2f",
    };
    fixture_add(fixture, internal);
    fixture_build(fixture);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
        assert_refused(fixture, spellings[i]);
}

static void other_paths_are_not_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, internal);
    fixture_build(fixture);
    assert_passes(fixture, "/");
    assert_passes(fixture, "/internals");
    assert_passes(fixture, "/x/internal");
    assert_passes(fixture, "/internal/../x");
    assert_passes(fixture, "/x;internal");
    assert_passes(fixture, "/x?/internal");
    assert_passes(fixture, "*");
}

static void a_guard_written_in_capitals_guards_every_case(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("a"), .prefix = TEXT("/Admin%3Bx"), .deny_status = 404});
    fixture_add(fixture, (struct route_spec){.name = TEXT("b"),
                                             .regex = TEXT("^/Secret/[A-Z]+$"),
                                             .deny_status = 403});
    fixture_add(fixture, (struct route_spec){
                             .name = TEXT("c"), .exact = TEXT("/Exact"), .deny_status = 403});
    fixture_build(fixture);
    assert_refused(fixture, "/Admin%3bx");
    assert_refused(fixture, "/ADMIN");
    assert_refused(fixture, "/Secret/ABC");
    assert_refused(fixture, "/secret/abc");
    assert_refused(fixture, "//SECRET/%61bc;x");
    assert_refused(fixture, "/exact");
    assert_passes(fixture, "/exact/more");
    assert_passes(fixture, "/secret/1");
}

static void an_allow_refuses_only_strangers(void **state)
{
    struct fixture *fixture = *state;
    struct cidr inside;
    assert_true(cidr_parse(STRVIEW("10.0.0.0/8"), &inside));
    fixture_add(fixture, (struct route_spec){.name = TEXT("admin"),
                                             .prefix = TEXT("/admin"),
                                             .allow = &inside,
                                             .allow_count = 1});
    fixture_build(fixture);
    assert_string_equal(refused_from(fixture, "10.1.2.3", "/admin"), "-");
    assert_string_equal(refused_from(fixture, "10.1.2.3", "//ADMIN"), "-");
    assert_string_equal(refused_from(fixture, "11.1.2.3", "/admin"), "admin");
    assert_string_equal(refused_from(fixture, "11.1.2.3", "//ADMIN"), "admin");
    assert_string_equal(refused_from(fixture, "2001:db8::1", "/admin;x"), "admin");
}

static void each_folded_form_is_judged_by_its_own_guard(void **state)
{
    struct fixture *fixture = *state;
    struct cidr inside;
    assert_true(cidr_parse(STRVIEW("10.0.0.0/8"), &inside));
    fixture_add(fixture, internal);
    fixture_add(fixture, (struct route_spec){.name = TEXT("admin"),
                                             .prefix = TEXT("/admin"),
                                             .allow = &inside,
                                             .allow_count = 1});
    fixture_build(fixture);
    assert_string_equal(refused_from(fixture, "10.1.2.3", "/admin/%252e%252e/internal"),
                        "internal");
    assert_string_equal(refused_from(fixture, "10.1.2.3", "/admin/%252e%252e/other"), "-");
    assert_string_equal(refused_from(fixture, "11.1.2.3", "/admin/%252e%252e/other"), "admin");
}

static void an_exception_below_a_guard_is_open_in_its_own_spelling(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, internal);
    fixture_add(fixture,
                (struct route_spec){.name = TEXT("public"), .prefix = TEXT("/internal/public")});
    fixture_build(fixture);
    assert_passes(fixture, "/internal/public");
    assert_passes(fixture, "/internal/public/Big;x=1");
    /* What goes to another backend than the exception's may be read there as guarded. */
    assert_refused(fixture, "//internal/public");
    assert_refused(fixture, "/internal/PUBLIC");
    assert_refused(fixture, "/internal/public/%252e%252e/secret");
    assert_refused(fixture, "/internal/other");
}

static void a_route_for_the_same_place_is_no_exception_unless_it_goes_first(void **state)
{
    struct fixture *fixture = *state;
    static const struct value_test test = {TEST_PRESENT, TEXT("x-user"), TEXT("")};
    fixture_add(fixture, (struct route_spec){.name = TEXT("open"),
                                             .prefix = TEXT("/internal"),
                                             .headers = {&test, 1}});
    fixture_add(fixture, internal);
    fixture_build(fixture);
    struct ip_address client = fixture_ip("192.0.2.1");
    struct request_head request = fixture_request(fixture, "GET", "a", "/internal");
    fixture_header(fixture, &request, "x-user", "1");
    assert_null(route_table_find_guard(fixture->table, &request, &client, &fixture->arena,
                                       fixture->scratch));
    request = fixture_request(fixture, "GET", "a", "//internal");
    fixture_header(fixture, &request, "x-user", "1");
    assert_non_null(route_table_find_guard(fixture->table, &request, &client, &fixture->arena,
                                           fixture->scratch));
}

static void a_guard_holds_only_for_its_conditions(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("post"),
                                             .host = TEXT("other.org"),
                                             .prefix = TEXT("/x"),
                                             .deny_status = 403});
    fixture_add(fixture, (struct route_spec){.name = TEXT("post"),
                                             .prefix = TEXT("/y"),
                                             .methods = 1u << METHOD_POST,
                                             .deny_status = 403});
    fixture_build(fixture);
    assert_passes(fixture, "/X");
    assert_passes(fixture, "/Y");
}

static void a_guard_whose_regex_runs_away_stays_shut(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("slow"),
                                             .prefix = TEXT("/"),
                                             .regex = TEXT("^/(a+)+(b|c+)+$"),
                                             .deny_status = 403});
    fixture_build(fixture);
    char target[2000] = "/";
    memset(target + 1, 'a', sizeof(target) - 3);
    target[sizeof(target) - 2] = 'd';
    assert_refused(fixture, target);
    assert_passes(fixture, "/d");
}

static void without_guards_nothing_is_folded(void **state)
{
    struct fixture *fixture = *state;
    fixture_add(fixture, (struct route_spec){.name = TEXT("a"), .prefix = TEXT("/a")});
    fixture_build(fixture);
    size_t before = fixture->arena.bytes;
    assert_passes(fixture, "//A;x");
    assert_int_equal(fixture->arena.bytes, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(no_spelling_slips_past_a_deny),
        FIXTURE_TEST(other_paths_are_not_refused),
        FIXTURE_TEST(a_guard_written_in_capitals_guards_every_case),
        FIXTURE_TEST(an_allow_refuses_only_strangers),
        FIXTURE_TEST(each_folded_form_is_judged_by_its_own_guard),
        FIXTURE_TEST(an_exception_below_a_guard_is_open_in_its_own_spelling),
        FIXTURE_TEST(a_route_for_the_same_place_is_no_exception_unless_it_goes_first),
        FIXTURE_TEST(a_guard_holds_only_for_its_conditions),
        FIXTURE_TEST(a_guard_whose_regex_runs_away_stays_shut),
        FIXTURE_TEST(without_guards_nothing_is_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
