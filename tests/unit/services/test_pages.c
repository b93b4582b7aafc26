#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/cookies.h"
#include "extracted/service_kit/face.h"
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/page_form.h"
#include "extracted/service_kit/utf8.h"

static struct http_view view(const char *string)
{
    return (struct http_view){string, strlen(string)};
}

static void assert_view(struct http_view found, const char *wanted)
{
    assert_int_equal(found.length, strlen(wanted));
    assert_memory_equal(found.bytes, wanted, found.length);
}

static void forms_are_decoded(void **state)
{
    (void)state;
    struct form form;
    assert_true(form_read(view("a=1&b=x+y%21&&empty=&bare&a=2&%C3%A9=%F0%9D%84%9E&c==&"), &form));
    assert_int_equal(form.count, 7);
    assert_view(form_value(&form, "a"), "1");
    assert_view(form_value(&form, "b"), "x y!");
    assert_view(form_value(&form, "empty"), "");
    assert_view(form_value(&form, "bare"), "");
    assert_view(form_value(&form, "é"), "𝄞");
    assert_view(form_value(&form, "c"), "=");
    assert_view(form_value(&form, "missing"), "");
    form_done(&form);
    assert_true(form_read((struct http_view){NULL, 0}, &form));
    assert_int_equal(form.count, 0);
    form_done(&form);
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=%",   "a=%4",        "a=%zz",   "a=%ff",
                                      "%80=1", "a=%ED%A0%80", "a=%C0%AF"};
    char many[2 * (FORM_FIELDS + 1) + 1];
    struct form form;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(form_read(view(bad[i]), &form));
    for (size_t i = 0; i < FORM_FIELDS + 1; i++)
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

static void templates_escape_every_value(void **state)
{
    (void)state;
    struct body_text body;
    body_text_init(&body, 1000);
    html_add(&body, "<a href=\"{}\">{}</a>{}", html_string("\"'<&>{}"), html_string("{}"),
             html_number(-3));
    assert_view((struct http_view){body.bytes, body.length},
                "<a href=\"&quot;&#39;&lt;&amp;&gt;{}\">{}</a>-3");
    body_text_clear(&body);
    html_add(&body, "{}", html_time(1704067260000));
    assert_view((struct http_view){body.bytes, body.length},
                "<time datetime=\"2024-01-01T00:01:00Z\">2024-01-01 00:01</time>");
    body_text_done(&body);
}

static void a_csrf_word_fits_one_token_only(void **state)
{
    (void)state;
    struct token one;
    struct token two;
    struct token none = {0};
    struct token_csrf word;
    assert_true(token_new(&one) && token_new(&two) && token_csrf_of(&one, &word));
    assert_int_equal(strlen(one.text), TOKEN_LENGTH);
    assert_true(token_read(view(one.text), &none));
    assert_true(token_csrf_fits(&none, view(word.text)));
    none.text[0] = 0;
    assert_false(token_csrf_fits(&two, view(word.text)));
    assert_false(token_csrf_fits(&none, view(word.text)));
    assert_false(token_csrf_fits(&one, (struct http_view){word.text, TOKEN_CSRF_LENGTH - 1}));
    assert_false(token_csrf_of(&none, &word));
}

/* Computed with another program: both sides have to make the same word. */
static void the_csrf_word_is_hmac_sha256_of_csrf(void **state)
{
    (void)state;
    struct token token;
    struct token_csrf word;
    assert_true(token_read(view("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_"), &token));
    assert_true(token_csrf_of(&token, &word));
    assert_string_equal(word.text,
                        "b84e40647d8a0da10d58c1165db40eaf0c9c5b3635cfe8a4db14f830c2071944");
}

static void assert_field(const struct http_reply *reply, unsigned at, const char *name,
                         const char *value)
{
    assert_true(at < reply->field_count);
    assert_string_equal(reply->fields[at].name, name);
    assert_string_equal(reply->fields[at].value, value);
}

static void cookies_are_hidden_from_scripts_and_secure_behind_tls(void **state)
{
    (void)state;
    struct http_reply reply;
    struct http_request request = {.forwarded_proto = {"", 0}};
    struct token token = {"T"};
    http_reply_init(&reply);
    cookie_set_sid(&request, &reply, &token);
    cookie_set_vsid(&request, &reply, &token);
    request.forwarded_proto = view("HTTPS");
    cookie_forget_sid(&request, &reply);
    assert_field(&reply, 0, "set-cookie", "sid=T; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000");
    assert_field(&reply, 1, "set-cookie", "vsid=T; Path=/; HttpOnly; SameSite=Lax");
    assert_field(&reply, 2, "set-cookie",
                 "sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
    http_reply_done(&reply);
}

static void assert_holds(const struct http_reply *reply, const char *words)
{
    assert_non_null(memmem(reply->body.bytes, reply->body.length, words, strlen(words)));
}

static void a_fault_is_worded_as_its_face_speaks(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type, *words;
    } cases[] = {
        {"/forum/nowhere", "text/html; charset=utf-8", "<h1>Not Found</h1>"},
        {"/Forum/x", "text/html; charset=utf-8", "<h1>Not Found</h1>"},
        {"/api/2.0/x", "application/problem+json", "\"status\":404"},
        {"/internal/x", "application/problem+json", "\"status\":404"},
        {"/forumx", "text/plain; charset=utf-8", "no such"},
        {"/api/x", "text/plain; charset=utf-8", "no such"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request = {.path = view(cases[i].path)};
        struct http_reply reply;
        http_reply_init(&reply);
        http_reply_text(&reply, 404, "no such");
        face_translate_fault(&request, &reply);
        assert_int_equal(reply.status, 404);
        assert_string_equal(reply.content_type, cases[i].type);
        assert_holds(&reply, cases[i].words);
        http_reply_done(&reply);
    }
}

static void a_form_that_is_shown_again_says_what_was_wrong(void **state)
{
    (void)state;
    struct http_reply reply;
    struct http_request request = {.method = {"", 0}};
    struct page page = {.request = &request, .reply = &reply, .body = &reply.body};
    const struct json_field bounds = {"title", 3, 5, "Three to five <letters>."};
    const struct page_field field = {"title", "Title", "text", NULL, view("\"><script>"), 5, false};
    struct outcome fault = page_form_check(&bounds, view("ää"));
    assert_int_equal(page_form_check(&bounds, view("äää")).kind, OUTCOME_DONE);
    assert_int_equal(page_form_check(&bounds, (struct http_view){"a\0b", 3}).kind,
                     OUTCOME_FIELD_FAULT);
    http_reply_init(&reply);
    page_begin_named(&page, "<New>");
    page_form_add(&page, &(struct page_fields){"Go", &field, 1}, &fault);
    page_end(&page);
    page_form_set_status(&page, &fault);
    assert_int_equal(reply.status, 422);
    assert_holds(&reply, "<title>&lt;New&gt; · The Fig Tree</title>");
    assert_holds(&reply, "value=\"&quot;&gt;&lt;script&gt;\">");
    assert_holds(&reply, "id=\"title-fault\">Three to five &lt;letters&gt;.</p>");
    assert_string_equal(reply.fields[reply.field_count - 1].name, "set-cookie");
    http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_decoded),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(utf8_has_one_form_for_each_character),
        cmocka_unit_test(templates_escape_every_value),
        cmocka_unit_test(a_csrf_word_fits_one_token_only),
        cmocka_unit_test(the_csrf_word_is_hmac_sha256_of_csrf),
        cmocka_unit_test(cookies_are_hidden_from_scripts_and_secure_behind_tls),
        cmocka_unit_test(a_fault_is_worded_as_its_face_speaks),
        cmocka_unit_test(a_form_that_is_shown_again_says_what_was_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
