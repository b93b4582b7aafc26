#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/backend/response_builder.h"

struct fixture {
    struct arena arena;
    struct response_builder builder;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, NULL);
    response_builder_init(&fixture.builder);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_done(&f->arena);
    return 0;
}

static enum builder_result add(struct fixture *f, const char *name, const char *value)
{
    return response_builder_field(&f->builder, &f->arena, strview_of(name), strview_of(value));
}

static enum builder_result finish(struct fixture *f, int status)
{
    f->builder.head.status = status;
    return response_builder_head_done(&f->builder, METHOD_GET, false);
}

static void fields_are_kept_in_order_with_their_tokens(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(add(f, "date", "now"), BUILDER_OK);
    assert_int_equal(add(f, "x-a", ""), BUILDER_OK);
    assert_int_equal(finish(f, 200), BUILDER_OK);
    const struct headers *headers = &f->builder.head.headers;
    assert_int_equal(headers->count, 2);
    assert_int_equal(headers->fields[0].token, HEADER_DATE);
    assert_true(strview_equal(headers->fields[0].value, STRVIEW("now")));
    assert_true(strview_equal(headers->fields[1].name, STRVIEW("x-a")));
    assert_true(f->builder.head.has_body);
    assert_int_equal(f->builder.head.content_length, CONTENT_LENGTH_UNKNOWN);
}

static void a_length_may_be_repeated_but_not_contradicted(void **state)
{
    (void)state;
    static const struct {
        const char *values[2];
        int64_t length; /* -2: malformed */
    } rows[] = {
        {{"0", NULL}, 0},
        {{"5", NULL}, 5},
        {{"9223372036854775807", NULL}, INT64_MAX},
        {{"5", "5"}, 5},
        {{"5, 5", NULL}, 5},
        {{"5 ,5,\t5", "5"}, 5},
        {{",5", NULL}, 5},
        {{"5", "6"}, -2},
        {{"5, 6", NULL}, -2},
        {{"5", "5, 6"}, -2},
        {{"5", ""}, 5}, /* an empty list contradicts nothing */
        {{"", NULL}, -2},
        {{",", NULL}, -2},
        {{"-5", NULL}, -2},
        {{"+5", NULL}, -2},
        {{"5.0", NULL}, -2},
        {{"0x5", NULL}, -2},
        {{"5 5", NULL}, -2},
        {{"9223372036854775808", NULL}, -2},
        {{"18446744073709551621", NULL}, -2}, /* 5, if it wrapped */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture *f;
        set_up((void **)&f);
        enum builder_result result = add(f, "content-length", rows[i].values[0]);
        if (result == BUILDER_OK && rows[i].values[1] != NULL)
            result = add(f, "content-length", rows[i].values[1]);
        assert_int_equal(result, rows[i].length == -2 ? BUILDER_MALFORMED : BUILDER_OK);
        if (result == BUILDER_OK) {
            assert_true(f->builder.head.content_length == rows[i].length);
            /* The client gets one field with one number. */
            assert_int_equal(f->builder.head.headers.count, 1);
            uint64_t sent = 0;
            assert_true(strview_to_u64(f->builder.head.headers.fields[0].value, INT64_MAX, &sent));
            assert_true((int64_t)sent == rows[i].length);
        }
        tear_down((void **)&f);
    }
}

static void names_and_values_are_checked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(add(f, "", "x"), BUILDER_MALFORMED);
    assert_int_equal(add(f, "x a", "x"), BUILDER_MALFORMED);
    assert_int_equal(add(f, "x\xc3", "x"), BUILDER_MALFORMED);
    assert_int_equal(add(f, ":status", "200"), BUILDER_MALFORMED);
    assert_int_equal(add(f, "x", "a\rb"), BUILDER_MALFORMED);
    assert_int_equal(add(f, "x", "a\nb"), BUILDER_MALFORMED);
    assert_int_equal(add(f, "x", "\x01"), BUILDER_MALFORMED);
    assert_int_equal(f->builder.head.headers.count, 0);
}

static void a_head_has_a_limit_of_fields(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < BACKEND_HEADER_FIELDS; i++)
        assert_int_equal(add(f, "a", "b"), BUILDER_OK);
    assert_int_equal(add(f, "a", "b"), BUILDER_TOO_LARGE);
}

static void a_head_has_a_limit_of_bytes(void **state)
{
    struct fixture *f = *state;
    static char value[BACKEND_HEADER_BYTES];
    memset(value, 'v', sizeof(value));
    struct strview fits = strview_make(value, BACKEND_HEADER_BYTES - 32 - 1);
    assert_int_equal(response_builder_field(&f->builder, &f->arena, STRVIEW("a"), fits),
                     BUILDER_OK);
    assert_int_equal(add(f, "a", ""), BUILDER_TOO_LARGE);
}

static void interim_heads_and_trailers_count_towards_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    static char value[BACKEND_HEADER_BYTES / 4];
    memset(value, 'v', sizeof(value));
    struct strview part = strview_make(value, sizeof(value) - 33);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(response_builder_field(&f->builder, &f->arena, STRVIEW("a"), part),
                         BUILDER_OK);
        assert_int_equal(finish(f, 103), BUILDER_OK);
        response_builder_restart(&f->builder);
        assert_int_equal(f->builder.head.headers.count, 0);
    }
    assert_int_equal(add(f, "a", "b"), BUILDER_TOO_LARGE);
}

static void statuses_outside_the_classes_and_upgrades_are_malformed(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum builder_result result;
    } rows[] = {
        {-1, BUILDER_MALFORMED},  {0, BUILDER_MALFORMED},   {99, BUILDER_MALFORMED},
        {100, BUILDER_OK},        {101, BUILDER_MALFORMED}, {102, BUILDER_OK},
        {103, BUILDER_OK},        {199, BUILDER_OK},        {200, BUILDER_OK},
        {418, BUILDER_OK},        {599, BUILDER_OK},        {600, BUILDER_MALFORMED},
        {999, BUILDER_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture *f;
        set_up((void **)&f);
        assert_int_equal(finish(f, rows[i].status), rows[i].result);
        tear_down((void **)&f);
    }
}

static void a_backend_may_send_some_interim_heads_but_not_without_end(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < BACKEND_INTERIM_HEADS; i++) {
        assert_int_equal(finish(f, 100), BUILDER_OK);
        response_builder_restart(&f->builder);
    }
    assert_int_equal(finish(f, 200), BUILDER_OK);
    response_builder_restart(&f->builder);
    assert_int_equal(finish(f, 100), BUILDER_TOO_LARGE);
}

static void whether_content_follows_depends_on_method_status_and_length(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        int status;
        const char *length;
        bool ends;
        bool has_body;
    } rows[] = {
        {METHOD_GET, 200, NULL, false, true},  {METHOD_GET, 200, "5", false, true},
        {METHOD_GET, 200, "0", false, false},  {METHOD_GET, 200, NULL, true, false},
        {METHOD_GET, 204, NULL, false, false}, {METHOD_GET, 304, "5", false, false},
        {METHOD_HEAD, 200, "5", false, false}, {METHOD_HEAD, 404, NULL, false, false},
        {METHOD_POST, 404, "1", false, true},  {METHOD_PROPFIND, 207, NULL, false, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture *f;
        set_up((void **)&f);
        if (rows[i].length != NULL)
            assert_int_equal(add(f, "content-length", rows[i].length), BUILDER_OK);
        f->builder.head.status = rows[i].status;
        assert_int_equal(response_builder_head_done(&f->builder, rows[i].method, rows[i].ends),
                         BUILDER_OK);
        assert_int_equal(f->builder.head.has_body, rows[i].has_body);
        tear_down((void **)&f);
    }
}

static void trailers_begin_without_the_heads_fields(void **state)
{
    struct fixture *f = *state;
    add(f, "content-length", "5");
    add(f, "x-a", "1");
    assert_int_equal(finish(f, 200), BUILDER_OK);
    response_builder_restart(&f->builder);
    assert_int_equal(f->builder.head.headers.count, 0);
    assert_int_equal(f->builder.head.content_length, CONTENT_LENGTH_UNKNOWN);
    assert_int_equal(add(f, "x-checksum", "abc"), BUILDER_OK);
    assert_int_equal(f->builder.head.headers.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields_are_kept_in_order_with_their_tokens),
        cmocka_unit_test(a_length_may_be_repeated_but_not_contradicted),
        TEST(names_and_values_are_checked),
        TEST(a_head_has_a_limit_of_fields),
        TEST(a_head_has_a_limit_of_bytes),
        TEST(interim_heads_and_trailers_count_towards_the_same_bytes),
        cmocka_unit_test(statuses_outside_the_classes_and_upgrades_are_malformed),
        TEST(a_backend_may_send_some_interim_heads_but_not_without_end),
        cmocka_unit_test(whether_content_follows_depends_on_method_status_and_length),
        TEST(trailers_begin_without_the_heads_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
