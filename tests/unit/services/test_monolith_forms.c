#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monolith_stub/input/field_check.h"
#include "monolith_stub/input/form.h"
#include "monolith_stub/input/json_body.h"
#include "monolith_stub/input/paging.h"
#include "monolith_stub/input/utf8.h"
#include "monolith_stub/knobs.h"
#include "monolith_stub/pages/html.h"
#include "monolith_stub/people/cookies.h"
#include "monolith_stub/people/password.h"
#include "monolith_stub/talk/search.h"

static struct text_view view(const char *string)
{
    return (struct text_view){string, strlen(string)};
}

static void assert_field(const struct form *form, const char *name, const char *value)
{
    struct text_view found;
    assert_true(form_find(form, name, &found));
    assert_int_equal(found.length, strlen(value));
    assert_memory_equal(found.bytes, value, found.length);
}

static void forms_are_decoded(void **state)
{
    (void)state;
    struct form form;
    struct text_view value;
    assert_true(form_read(view("a=1&b=x+y%21&&empty=&bare&a=2&%C3%A9=%F0%9D%84%9E"), &form));
    assert_int_equal(form.count, 6);
    assert_field(&form, "a", "1");
    assert_field(&form, "b", "x y!");
    assert_field(&form, "empty", "");
    assert_field(&form, "bare", "");
    assert_field(&form, "é", "𝄞");
    assert_false(form_find(&form, "missing", &value));
    assert_int_equal(value.length, 0);
    form_done(&form);
    assert_true(form_read((struct text_view){NULL, 0}, &form));
    form_done(&form);
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=%",   "a=%4",        "a=%zz",   "a=%ff",
                                      "%80=1", "a=%ED%A0%80", "a=%C0%AF"};
    struct form form;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(form_read(view(bad[i]), &form));
    char many[2 * (FORM_FIELD_LIMIT + 1) + 1];
    for (size_t i = 0; i < FORM_FIELD_LIMIT + 1; i++)
        memcpy(many + 2 * i, "a&", 3);
    assert_false(form_read(view(many), &form));
}

static void utf8_has_one_form_for_each_character(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "é", "\xe2\x82\xac", "𝄞", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",         "\xc3",     "\xc0\x80",         "\xe0\x80\x80",
        "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(utf8_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
    assert_int_equal(utf8_count("aé𝄞", strlen("aé𝄞")), 3);
}

static void fields_are_measured_in_characters(void **state)
{
    (void)state;
    assert_null(check_username(view("a-Z_9")));
    assert_non_null(check_username(view("ab")));
    assert_non_null(check_username(view("äää")));
    assert_null(check_title(view("äää")));
    assert_non_null(check_title(view("ää")));
    assert_non_null(check_text(view("")));
    assert_non_null(check_text((struct text_view){"a\0b", 3}));
    assert_non_null(check_password(view("1234567")));
    assert_null(check_password(view("12345678")));
}

static void ids_and_pages_are_plain_numbers(void **state)
{
    (void)state;
    int64_t number = 0;
    struct id_list list;
    assert_true(id_read(view("17"), &number) && number == 17);
    static const char *const bad[] = {
        "", "0", "-1", "+1", " 1", "1 ", "1a", "0x1", "9999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(id_read(view(bad[i]), &number));
    assert_true(page_read(view(""), &number) && number == 1);
    assert_true(id_list_read(view("3,1,2"), &list) && list.count == 3 && list.ids[0] == 3);
    assert_false(id_list_read(view("1,,2"), &list));
    assert_false(id_list_read(view(""), &list));
    assert_int_equal(paging_of(1, 0).pages, 1);
    assert_int_equal(paging_of(1, 20).pages, 1);
    assert_int_equal(paging_of(1, 21).pages, 2);
    assert_int_equal(paging_page_of(19), 1);
    assert_int_equal(paging_page_of(20), 2);
}

static void templates_escape_every_value(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, 1000);
    html(&out, "<a href=\"{}\">{}</a>{}", html_string("\"'<&>{}"), html_string("{}"),
         html_number(-3));
    static const char wanted[] = "<a href=\"&quot;&#39;&lt;&amp;&gt;{}\">{}</a>-3";
    assert_int_equal(out.length, strlen(wanted));
    assert_memory_equal(out.bytes, wanted, out.length);
    text_clear(&out);
    html(&out, "{}", html_time(1704067200000));
    text_append(&out, "", 1);
    assert_string_equal(out.bytes,
                        "<time datetime=\"2024-01-01T00:00:00Z\">2024-01-01 00:00</time>");
    text_done(&out);
}

static void a_csrf_word_fits_one_token_only(void **state)
{
    (void)state;
    struct token one;
    struct token two;
    struct token none = {0};
    struct token_hex word;
    assert_true(token_new(&one) && token_new(&two) && token_csrf(&one, &word));
    assert_int_equal(strlen(one.text), TOKEN_LENGTH);
    assert_true(token_csrf_fits(&one, word.text, TOKEN_HEX_LENGTH));
    assert_false(token_csrf_fits(&two, word.text, TOKEN_HEX_LENGTH));
    assert_false(token_csrf_fits(&none, word.text, TOKEN_HEX_LENGTH));
    assert_false(token_csrf_fits(&one, word.text, TOKEN_HEX_LENGTH - 1));
    assert_false(token_csrf(&none, &word));
}

static void cookies_are_found_by_their_whole_name(void **state)
{
    (void)state;
    static const char sid[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_";
    char field[200];
    struct token token = {0};
    snprintf(field, sizeof(field), "vsid=x; xsid=%s;  sid=%s; b", sid, sid);
    assert_true(cookie_find(field, "sid", &token));
    assert_string_equal(token.text, sid);
    assert_false(cookie_find(field, "vsid", &token));
    assert_false(cookie_find(NULL, "sid", &token));
    assert_false(cookie_find("sid=short", "sid", &token));
}

static void a_password_fits_its_hash_only(void **state)
{
    (void)state;
    struct password_hash hash;
    assert_true(password_hash_new(view("correct horse"), &hash));
    assert_true(password_fits(view("correct horse"), &hash));
    assert_false(password_fits(view("correct horsf"), &hash));
    hash.n = INT64_MAX;
    assert_false(password_fits(view("correct horse"), &hash));
}

static void a_search_has_no_syntax(void **state)
{
    (void)state;
    struct text out;
    text_init(&out, SEARCH_EXPRESSION_BYTES);
    search_write_expression(&out, view("  a\"b OR\t(c* "));
    text_append(&out, "", 1);
    assert_string_equal(out.bytes, "\"a\"\"b\" \"OR\" \"(c*\" ");
    text_done(&out);
}

static void knobs_are_read_strictly(void **state)
{
    (void)state;
    struct knobs knobs = {0};
    assert_true(knobs_read_latency("20ms,1s", &knobs));
    assert_int_equal(knobs.latency_low_ms, 20);
    assert_int_equal(knobs.latency_high_ms, 1000);
    assert_int_equal(knobs_latency_ms(&knobs, 980), 1000);
    assert_true(knobs_read_fail("0.5%", &knobs) && knobs.fail_millionths == 5000);
    assert_true(knobs_fails(&knobs, 4999) && !knobs_fails(&knobs, 5000));
    static const char *const bad[] = {"",      "20",   "ms",   "-1ms",
                                      "2s,1s", "1ms,", ",1ms", "1ms,2ms,3ms"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(knobs_read_latency(bad[i], &knobs));
    assert_false(knobs_read_fail("101%", &knobs) || knobs_read_fail("1", &knobs) ||
                 knobs_read_fail("nan%", &knobs));
    assert_false(knobs_read_bug("none", &knobs));
}

static void an_origin_is_the_host_that_was_asked(void **state)
{
    (void)state;
    assert_true(origin_fits("https://Forum.example:8443", "forum.example:8443"));
    assert_false(origin_fits("https://forum.example.evil", "forum.example"));
    assert_false(origin_fits("null", "forum.example"));
    assert_false(origin_fits("https://forum.example", NULL));
    assert_true(content_type_is("Application/JSON ; charset=utf-8", "application/json"));
    assert_false(content_type_is("application/jsonp", "application/json"));
    assert_false(content_type_is(NULL, "application/json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_decoded),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(utf8_has_one_form_for_each_character),
        cmocka_unit_test(fields_are_measured_in_characters),
        cmocka_unit_test(ids_and_pages_are_plain_numbers),
        cmocka_unit_test(templates_escape_every_value),
        cmocka_unit_test(a_csrf_word_fits_one_token_only),
        cmocka_unit_test(cookies_are_found_by_their_whole_name),
        cmocka_unit_test(a_password_fits_its_hash_only),
        cmocka_unit_test(a_search_has_no_syntax),
        cmocka_unit_test(knobs_are_read_strictly),
        cmocka_unit_test(an_origin_is_the_host_that_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
