#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/message.h"

static void every_method_is_parsed_by_its_name(void **state)
{
    (void)state;
    for (int method = METHOD_GET; method < METHOD_OTHER; method++) {
        struct strview name = http_method_name((enum http_method)method);
        assert_true(name.length > 0);
        assert_int_equal(http_method_parse(name), method);
    }
}

static void methods_are_case_sensitive_and_the_table_is_closed(void **state)
{
    (void)state;
    assert_int_equal(http_method_parse(STRVIEW("get")), METHOD_OTHER);
    assert_int_equal(http_method_parse(STRVIEW("GETS")), METHOD_OTHER);
    assert_int_equal(http_method_parse(STRVIEW("")), METHOD_OTHER);
    assert_int_equal(http_method_parse(STRVIEW("_OTHER")), METHOD_OTHER);
    assert_true(strview_equal(http_method_name(METHOD_OTHER), STRVIEW("_OTHER")));
}

static void some_answers_never_have_content(void **state)
{
    (void)state;
    assert_true(response_has_no_content(METHOD_HEAD, 200));
    assert_true(response_has_no_content(METHOD_GET, 103));
    assert_true(response_has_no_content(METHOD_GET, 204));
    assert_true(response_has_no_content(METHOD_GET, 304));
    assert_false(response_has_no_content(METHOD_GET, 200));
    assert_false(response_has_no_content(METHOD_POST, 500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_parsed_by_its_name),
        cmocka_unit_test(methods_are_case_sensitive_and_the_table_is_closed),
        cmocka_unit_test(some_answers_never_have_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
