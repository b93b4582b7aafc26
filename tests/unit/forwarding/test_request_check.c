#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/request_check.h"

static const struct limits limits = {.header_bytes = 1000, .header_fields = 4, .body_bytes = 100};

static struct request_head good_request(void)
{
    return (struct request_head){
        .method = METHOD_GET,
        .method_text = STRVIEW("GET"),
        .scheme = STRVIEW("http"),
        .authority = STRVIEW("example.org"),
        .target = STRVIEW("/"),
        .path = STRVIEW("/"),
        .path_kind = PATH_CANONICAL,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
}

static int status_of(const struct request_head *request)
{
    struct request_verdict verdict = request_check(request, &limits);
    assert_int_equal(verdict.detail == NULL, verdict.status == 0);
    return verdict.status;
}

static void authorities_that_are_hosts_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",
        "example.org",
        "EXAMPLE.org",
        "example.org:443",
        "example.org:0",
        "example.org:65535",
        "x_y.example-1.org.",
        "192.0.2.1",
        "192.0.2.1:8080",
        "[::1]",
        "[::1]:8080",
        "[2001:DB8::a:1]",
        "[::ffff:192.0.2.1]:80",
        "localhost:3000",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(authority_is_valid(strview_of(good[i])));
}

static void authorities_that_are_something_else_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":",
        ":80",
        "example.org:",
        "example.org:65536",
        "example.org:99999999999999999999",
        "example.org:80:80",
        "example.org:+80",
        "example.org:8o",
        "example.org: 80",
        " example.org",
        "example.org ",
        "user@example.org",
        "user:password@example.org",
        "example.org/path",
        "example.org?query",
        "example.org#fragment",
        "example.org\\evil",
        "example.org,evil.example",
        "ex ample.org",
        "example.org\r\nx: y",
        "ex\"ample",
        "ex'ample",
        "ex%61mple",
        "exa\xc3\xa4mple.org",
        "::1",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:",
        "[::1]:x",
        "[::1]]",
        "[::g]",
        "[fe80::1%eth0]",
        "[[::1]]",
        "http://example.org",
        "[]",
        "[]:80",
        "[:::]",
        "[1]",
        "[192.0.2.1]",
        "[12345::1]",
        "*",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(authority_is_valid(strview_of(bad[i])));
    assert_false(authority_is_valid(strview_make("a\0b", 3)));
    assert_false(authority_is_valid(STRVIEW_NONE));
}

static void an_authority_has_a_length_that_dns_allows(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof(name));
    assert_true(authority_is_valid(strview_make(name, 255)));
    assert_false(authority_is_valid(strview_make(name, 262)));
}

static void a_good_request_is_not_refused(void **state)
{
    (void)state;
    struct request_head request = good_request();
    assert_int_equal(status_of(&request), 0);
    request.path_kind = PATH_AMBIGUOUS; /* routing decides about it */
    assert_int_equal(status_of(&request), 0);
}

static void methods_outside_the_table_are_not_implemented(void **state)
{
    (void)state;
    for (int method = 0; method < METHOD_COUNT; method++) {
        struct request_head request = good_request();
        request.method = (enum http_method)method;
        int expected = method == METHOD_OTHER || method == METHOD_CONNECT ? 501
                       : method == METHOD_TRACE                           ? 405
                                                                          : 0;
        assert_int_equal(status_of(&request), expected);
    }
}

static void a_bad_path_or_authority_is_a_bad_request(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.path_kind = PATH_INVALID;
    assert_int_equal(status_of(&request), 400);
    request = good_request();
    request.authority = STRVIEW("a@b");
    assert_int_equal(status_of(&request), 400);
}

static void a_host_beside_the_authority_has_to_say_the_same(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.has_host = true;
    request.host = request.authority;
    assert_int_equal(status_of(&request), 0);
    request.host = STRVIEW("example.org:80");
    assert_int_equal(status_of(&request), 400);
    request.host = STRVIEW_NONE;
    assert_int_equal(status_of(&request), 400);
}

static void what_the_codec_refused_is_refused(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.method = METHOD_OTHER;
    request.refusal = (struct request_verdict){414, "long"};
    assert_int_equal(status_of(&request), 414);
}

static void a_method_that_is_no_token_is_a_bad_request(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.method = METHOD_OTHER;
    request.method_text = STRVIEW("G(T");
    assert_int_equal(status_of(&request), 400);
    request.method_text = STRVIEW_NONE;
    assert_int_equal(status_of(&request), 400);
}

static void an_asterisk_is_for_options_alone(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.path_kind = PATH_ASTERISK;
    assert_int_equal(status_of(&request), 400);
    request.method = METHOD_OPTIONS;
    assert_int_equal(status_of(&request), 0);
}

static void fields_are_checked_by_name_and_value(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        int status;
    } rows[] = {
        {"x-a", "b", 0},      {"x-a", "", 0},       {"x-a", "a\tb", 0},   {"x-a", "\xc3\xa4", 0},
        {"x a", "b", 400},    {"", "b", 400},       {"x-a:", "b", 400},   {"x-a", "b\n", 400},
        {"x-a", " b", 400},   {"x-a", "a\rb", 400}, {"x-a", "\x7f", 400}, {"x\xc3\xa4", "b", 400},
        {":path", "/x", 400},
    };
    struct arena arena;
    arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request_head request = good_request();
        headers_add(&request.headers, &arena, HEADER_OTHER, strview_of(rows[i].name),
                    strview_of(rows[i].value));
        assert_int_equal(status_of(&request), rows[i].status);
    }
    arena_done(&arena);
}

static void as_many_fields_and_bytes_as_the_limits_say_are_taken(void **state)
{
    (void)state;
    static char value[1000];
    memset(value, 'v', sizeof(value));
    struct arena arena;
    arena_init(&arena, NULL);
    struct request_head request = good_request();
    for (uint32_t i = 0; i < limits.header_fields; i++)
        headers_add(&request.headers, &arena, HEADER_OTHER, STRVIEW("a"), STRVIEW("b"));
    assert_int_equal(status_of(&request), 0);
    headers_add(&request.headers, &arena, HEADER_OTHER, STRVIEW("a"), STRVIEW("b"));
    assert_int_equal(status_of(&request), 431);

    request = good_request();
    headers_add(&request.headers, &arena, HEADER_OTHER, STRVIEW("n"),
                strview_make(value, limits.header_bytes - 32 - 1));
    assert_int_equal(status_of(&request), 0);
    request = good_request();
    headers_add(&request.headers, &arena, HEADER_OTHER, STRVIEW("n"),
                strview_make(value, limits.header_bytes - 32));
    assert_int_equal(status_of(&request), 431);
    arena_done(&arena);
}

static void a_body_announced_too_large_is_refused_at_once(void **state)
{
    (void)state;
    struct request_head request = good_request();
    request.content_length = 100;
    assert_int_equal(status_of(&request), 0);
    request.content_length = 101;
    assert_int_equal(status_of(&request), 413);
    struct limits unlimited = limits;
    unlimited.body_bytes = 0;
    request.content_length = INT64_MAX;
    assert_int_equal(request_check(&request, &unlimited).status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_that_are_hosts_are_accepted),
        cmocka_unit_test(authorities_that_are_something_else_are_refused),
        cmocka_unit_test(an_authority_has_a_length_that_dns_allows),
        cmocka_unit_test(a_good_request_is_not_refused),
        cmocka_unit_test(methods_outside_the_table_are_not_implemented),
        cmocka_unit_test(a_bad_path_or_authority_is_a_bad_request),
        cmocka_unit_test(a_host_beside_the_authority_has_to_say_the_same),
        cmocka_unit_test(what_the_codec_refused_is_refused),
        cmocka_unit_test(a_method_that_is_no_token_is_a_bad_request),
        cmocka_unit_test(an_asterisk_is_for_options_alone),
        cmocka_unit_test(fields_are_checked_by_name_and_value),
        cmocka_unit_test(as_many_fields_and_bytes_as_the_limits_say_are_taken),
        cmocka_unit_test(a_body_announced_too_large_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
