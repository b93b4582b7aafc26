#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/routing/routing_fixture.h"

static bool add(struct fixture *fixture, struct route_spec spec, struct route_fault *fault)
{
    spec.module = ROUTE_NO_MODULE;
    spec.backend = ROUTE_NO_BACKEND;
    return route_table_builder_add(fixture->builder, &spec, fault);
}

static void a_fault_in_a_regex_names_its_byte(void **state)
{
    struct fixture *fixture = *state;
    struct route_fault fault = {0};
    assert_false(add(fixture, (struct route_spec){.regex = TEXT("^/a(b")}, &fault));
    assert_int_equal(fault.part, ROUTE_PART_REGEX);
    assert_int_equal(fault.offset, 5);
    assert_true(fault.text[0] != '\0');
    assert_false(add(fixture, (struct route_spec){.regex = TEXT("^/a[z-a]x")}, &fault));
    assert_int_equal(fault.offset, 6);
}

static void a_fault_in_a_list_names_its_item(void **state)
{
    struct fixture *fixture = *state;
    struct route_fault fault = {0};
    static const struct value_test tests[] = {
        {TEST_REGEX, TEXT("a"), TEXT("x")},
        {TEST_REGEX, TEXT("b"), TEXT("x**")},
    };
    static const struct value_test nameless = {TEST_PRESENT, TEXT(""), TEXT("")};
    assert_false(
        add(fixture, (struct route_spec){.prefix = TEXT("/"), .headers = {tests, 2}}, &fault));
    assert_int_equal(fault.part, ROUTE_PART_HEADERS);
    assert_int_equal(fault.item, 1);
    assert_int_equal(fault.offset, 2);
    assert_false(
        add(fixture, (struct route_spec){.prefix = TEXT("/"), .query = {tests, 2}}, &fault));
    assert_int_equal(fault.part, ROUTE_PART_QUERY);
    assert_false(
        add(fixture, (struct route_spec){.prefix = TEXT("/"), .cookies = {&nameless, 1}}, &fault));
    assert_int_equal(fault.part, ROUTE_PART_COOKIES);
    assert_int_equal(fault.item, 0);
}

static void paths_that_no_request_can_have_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct strview paths[] = {TEXT("a"),     TEXT("/a b"), TEXT("/a?b"), TEXT("/%zz"),
                                           TEXT("/a%2f"), TEXT("*"),    TEXT("/a#"),  TEXT("/..;")};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct route_fault fault = {0};
        assert_false(add(fixture, (struct route_spec){.prefix = paths[i]}, &fault));
        assert_int_equal(fault.part, ROUTE_PART_PREFIX);
        assert_false(add(fixture, (struct route_spec){.exact = paths[i]}, &fault));
        assert_int_equal(fault.part, ROUTE_PART_EXACT);
    }
    struct route_fault fault = {0};
    assert_false(add(fixture, (struct route_spec){.prefix = TEXT("/ab?c")}, &fault));
    assert_int_equal(fault.offset, 3);
}

static void a_route_has_one_kind_of_path(void **state)
{
    struct fixture *fixture = *state;
    struct route_fault fault = {0};
    assert_false(
        add(fixture, (struct route_spec){.exact = TEXT("/a"), .prefix = TEXT("/a")}, &fault));
    assert_false(
        add(fixture, (struct route_spec){.exact = TEXT("/a"), .regex = TEXT("a")}, &fault));
    assert_true(
        add(fixture, (struct route_spec){.prefix = TEXT("/a"), .regex = TEXT("a")}, &fault));
}

static void malformed_hosts_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct strview bad[] = {TEXT("Example.org"), TEXT("example.org:80"),
                                         TEXT("*."),          TEXT("*"),
                                         TEXT("a.*.org"),     TEXT("*a.org"),
                                         TEXT(".org"),        TEXT("a..org"),
                                         TEXT("a.org."),      TEXT("[]"),
                                         TEXT("a/b"),         TEXT("*.*.org")};
    static const struct strview good[] = {TEXT("localhost"), TEXT("*.org"),
                                          TEXT("a_b-c.example.org"), TEXT("192.0.2.1"),
                                          TEXT("[2001:db8::1]")};
    struct route_fault fault = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (add(fixture, (struct route_spec){.prefix = TEXT("/"), .host = bad[i]}, &fault))
            fail_msg("%s was taken", bad[i].data);
        assert_int_equal(fault.part, ROUTE_PART_HOST);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(
            add(fixture, (struct route_spec){.prefix = TEXT("/"), .host = good[i]}, &fault));
}

static void patterns_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct route_fault fault = {0};
    static char pattern[5000];
    memset(pattern, 'a', sizeof(pattern));
    struct strview view = strview_make(pattern, sizeof(pattern));
    assert_false(add(fixture, (struct route_spec){.regex = view}, &fault));
    for (size_t i = 0; i + 1 < 100; i += 2)
        memcpy(pattern + i, "()", 2);
    assert_false(add(fixture, (struct route_spec){.regex = strview_make(pattern, 100)}, &fault));
    assert_int_equal(fault.part, ROUTE_PART_REGEX);
    assert_false(add(fixture, (struct route_spec){.regex = TEXT("(*UTF)a")}, &fault));
    pattern[0] = '/';
    assert_false(add(fixture, (struct route_spec){.prefix = view}, &fault));
}

static void a_refused_route_leaves_the_builder_usable(void **state)
{
    struct fixture *fixture = *state;
    struct route_fault fault = {0};
    assert_false(add(fixture, (struct route_spec){.regex = TEXT("(")}, &fault));
    fixture_add(fixture, (struct route_spec){.name = TEXT("a"), .prefix = TEXT("/a")});
    fixture_build(fixture);
    assert_string_equal(fixture_get(fixture, "x", "/a"), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_fault_in_a_regex_names_its_byte),
        FIXTURE_TEST(a_fault_in_a_list_names_its_item),
        FIXTURE_TEST(paths_that_no_request_can_have_are_refused),
        FIXTURE_TEST(a_route_has_one_kind_of_path),
        FIXTURE_TEST(malformed_hosts_are_refused),
        FIXTURE_TEST(patterns_are_bounded),
        FIXTURE_TEST(a_refused_route_leaves_the_builder_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
