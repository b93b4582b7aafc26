#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/body_text.h"
#include "monolith_stub/text.h"

static void assert_text(const struct text *text, const char *expected)
{
    assert_int_equal(text->length, strlen(expected));
    assert_memory_equal(text->bytes, expected, text->length);
}

static void both_sides_write_every_byte_alike_in_json(void **state)
{
    (void)state;
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct text legacy;
    struct body_text extracted;
    text_init(&legacy, 4096);
    body_text_init(&extracted, 4096);
    text_append_json(&legacy, all, sizeof(all));
    body_text_add_json_string(&extracted, all, sizeof(all));
    assert_int_equal(legacy.length, extracted.length);
    assert_memory_equal(legacy.bytes, extracted.bytes, legacy.length);
    text_done(&legacy);
    body_text_done(&extracted);
}

static void json_uses_the_short_escapes(void **state)
{
    (void)state;
    static const char value[] = "a\"b\\c\b\f\n\r\t\x01\x1f/\x7f\xc3\xa9";
    struct text text;
    text_init(&text, 4096);
    text_append_json(&text, value, strlen(value));
    assert_text(&text, "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f\xc3\xa9\"");
    text_done(&text);
}

static void html_leaves_no_markup(void **state)
{
    (void)state;
    static const char value[] = "<b a='1' c=\"2\">&amp;</b>";
    struct text text;
    text_init(&text, 4096);
    text_append_html(&text, value, strlen(value));
    assert_text(&text, "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;&lt;/b&gt;");
    text_done(&text);
}

static void a_text_never_passes_its_limit(void **state)
{
    (void)state;
    struct text legacy;
    struct body_text extracted;
    size_t length = 0;
    text_init(&legacy, 10);
    body_text_init(&extracted, 10);
    for (int i = 0; i < 4; i++) {
        text_append_string(&legacy, "abc");
        body_text_add_string(&extracted, "abc");
    }
    assert_true(legacy.failed);
    assert_int_equal(legacy.length, 9);
    assert_null(text_take(&legacy, &length));
    assert_true(extracted.overflowed);
    assert_int_equal(extracted.length, 9);
    text_done(&legacy);
    body_text_done(&extracted);
}

static void an_empty_text_can_be_taken(void **state)
{
    (void)state;
    struct text text;
    size_t length = 77;
    text_init(&text, 10);
    char *bytes = text_take(&text, &length);
    assert_non_null(bytes);
    assert_int_equal(length, 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_write_every_byte_alike_in_json),
        cmocka_unit_test(json_uses_the_short_escapes),
        cmocka_unit_test(html_leaves_no_markup),
        cmocka_unit_test(a_text_never_passes_its_limit),
        cmocka_unit_test(an_empty_text_can_be_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
