#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/request_head.h"

static const struct limits limits = {.header_bytes = 1000, .header_fields = 4};

struct fixture {
    struct arena arena;
    struct request_head head;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, NULL);
    request_head_init(&fixture.head);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_done(&f->arena);
    return 0;
}

static void add(struct fixture *f, const char *name, const char *value)
{
    request_head_field(&f->head, &f->arena, &limits, strview_of(name), strview_of(value));
}

static void pseudo_fields_are_parts_of_the_request_and_no_fields(void **state)
{
    struct fixture *f = *state;
    add(f, ":method", "QUERY");
    add(f, ":scheme", "HTTPS");
    add(f, ":authority", "Example.ORG:80");
    add(f, ":path", "/a/../b?c");
    add(f, "x-a", "b");
    request_head_done(&f->head, &f->arena, true);
    assert_int_equal(f->head.method, METHOD_QUERY);
    assert_true(strview_equal(f->head.method_text, STRVIEW("QUERY")));
    assert_true(strview_equal(f->head.scheme, STRVIEW("https")));
    assert_true(strview_equal(f->head.authority, STRVIEW("example.org:80")));
    assert_true(strview_equal(f->head.path, STRVIEW("/b")));
    assert_true(strview_equal(f->head.query, STRVIEW("?c")));
    assert_int_equal(f->head.headers.count, 1);
    assert_true(f->head.has_body);
    assert_int_equal(f->head.refusal.status, 0);
}

static void host_is_the_authority_where_no_other_is_named(void **state)
{
    struct fixture *f = *state;
    add(f, "host", "Example.org");
    request_head_done(&f->head, &f->arena, false);
    assert_true(f->head.has_host);
    assert_true(strview_equal(f->head.authority, STRVIEW("example.org")));
    assert_int_equal(f->head.headers.count, 0);
}

static void a_second_host_is_refused_also_when_it_says_the_same(void **state)
{
    struct fixture *f = *state;
    add(f, "host", "a");
    assert_int_equal(f->head.refusal.status, 0);
    add(f, "host", "a");
    assert_int_equal(f->head.refusal.status, 400);
}

static void a_content_length_is_one_decimal_number(void **state)
{
    static const char *const bad[] = {"",   "-1", "+1", "0x1",  "1 ",
                                      "1,", "1a", ",1", "1, 1", "9223372036854775808"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fixture *f = *state;
        request_head_init(&f->head);
        add(f, "content-length", bad[i]);
        assert_int_equal(f->head.refusal.status, 400);
    }
    struct fixture *f = *state;
    request_head_init(&f->head);
    add(f, "content-length", "0009223372036854775807");
    assert_int_equal(f->head.content_length, INT64_MAX);
    assert_int_equal(f->head.refusal.status, 0);
    add(f, "content-length", "9223372036854775807");
    assert_int_equal(f->head.refusal.status, 400);
}

static void the_first_reason_to_refuse_stays(void **state)
{
    struct fixture *f = *state;
    request_head_refuse(&f->head, 414, "first");
    request_head_refuse(&f->head, 400, "second");
    assert_int_equal(f->head.refusal.status, 414);
    assert_string_equal(f->head.refusal.detail, "first");
}

static void a_head_over_its_limits_keeps_no_more_of_it(void **state)
{
    struct fixture *f = *state;
    static char value[2001];
    memset(value, 'v', sizeof(value) - 1);
    add(f, "x-large", value);
    size_t held = f->arena.bytes;
    for (int i = 0; i < 1000; i++)
        add(f, "x-a", "b");
    assert_int_equal(f->arena.bytes, held);
    assert_true(f->head.headers.bytes > limits.header_bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pseudo_fields_are_parts_of_the_request_and_no_fields),
        TEST(host_is_the_authority_where_no_other_is_named),
        TEST(a_second_host_is_refused_also_when_it_says_the_same),
        TEST(a_content_length_is_one_decimal_number),
        TEST(the_first_reason_to_refuse_stays),
        TEST(a_head_over_its_limits_keeps_no_more_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
