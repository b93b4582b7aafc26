#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http1/http1_guard.h"

/* The whole text at once and in single bytes: the same end. */
static enum http1_guard_state state_after(void (*begin)(struct http1_guard *guard),
                                          const char *text, size_t length)
{
    struct http1_guard whole;
    struct http1_guard piecewise;
    begin(&whole);
    begin(&piecewise);
    size_t taken = http1_guard_take(&whole, text, length);
    size_t taken_singly = 0;
    while (taken_singly < length && http1_guard_take(&piecewise, text + taken_singly, 1) == 1)
        taken_singly++;
    assert_int_equal(whole.state, piecewise.state);
    assert_int_equal(taken, taken_singly);
    assert_int_equal(whole.section_bytes, piecewise.section_bytes);
    return whole.state;
}

static enum http1_guard_state after_fields(const char *text)
{
    return state_after(http1_guard_begin_fields, text, strlen(text));
}

static enum http1_guard_state after_chunks(const char *text)
{
    return state_after(http1_guard_begin_chunks, text, strlen(text));
}

static void good_fields_end_at_the_empty_line(void **state)
{
    (void)state;
    static const char *const good[] = {
        "\r\n",
        "a: b\r\n\r\n",
        "a:b\r\n\r\n",
        "a:\r\n\r\n",
        "a: \t b \t \r\nX-Long!#$%&'*+.^_`|~09: \xc3\xa4;,\"()\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(after_fields(good[i]), HTTP1_GUARD_END);
    struct http1_guard guard;
    http1_guard_begin_fields(&guard);
    assert_int_equal(http1_guard_take(&guard, "a: b\r\n\r\nbody", 12), 8);
    assert_int_equal(guard.section_bytes, 8);
}

static void lines_that_readers_differ_about_are_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a: b\n\r\n",                           /* bare LF */
        "a: b\r\n\n",                           /* the same in the empty line */
        "a: b\rc: d\r\n\r\n",                   /* bare CR */
        "\ra: b\r\n\r\n",      " a: b\r\n\r\n", /* white space in front */
        "a: b\r\n c\r\n\r\n",                   /* folded */
        "a: b\r\n\tc\r\n\r\n",                  /* the same by a tab */
        "a : b\r\n\r\n",                        /* white space behind the name */
        "a\t: b\r\n\r\n",      ": b\r\n\r\n",   /* no name */
        "a b: c\r\n\r\n",      "a\r\n\r\n",     /* no colon */
        "a(b): c\r\n\r\n",     "\xc3\xa4: b\r\n\r\n", "a: \x01\r\n\r\n",
        "a: \x7f\r\n\r\n",     "a: b\x0b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(after_fields(bad[i]), HTTP1_GUARD_BAD);
    static const char with_zero[] = "a: b\0c\r\n\r\n";
    assert_int_equal(state_after(http1_guard_begin_fields, with_zero, sizeof(with_zero) - 1),
                     HTTP1_GUARD_BAD);
}

static void an_unfinished_section_has_no_end_yet(void **state)
{
    (void)state;
    static const char *const parts[] = {"", "a", "a:", "a: b", "a: b\r", "a: b\r\n", "a: b\r\n\r"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        enum http1_guard_state after = after_fields(parts[i]);
        assert_true(after != HTTP1_GUARD_END && after != HTTP1_GUARD_BAD);
    }
}

/* What the guard is shown of chunked bodies: everything but the content. */
static void good_chunks_end_behind_their_trailers(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0\r\n\r\n",
        "000\r\n\r\n",
        "00000000000000000000000000000005\r\n\r\n0\r\n\r\n",
        "5\r\n\r\n0\r\n\r\n",
        "aF0\r\n\r\n10\r\n\r\n00\r\n\r\n",
        "5;a\r\n\r\n0\r\n\r\n",
        "5;a=b;c=\"d e\"\r\n\r\n0;x\r\n\r\n",
        "5\r\n\r\n0\r\nx-sum: 1\r\nx: \r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(after_chunks(good[i]), HTTP1_GUARD_END);
}

static void funky_chunks_are_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",
        ";a\r\n",
        "0x5\r\n",
        "+5\r\n",
        "-5\r\n",
        " 5\r\n",
        "5 \r\n",
        "5 5\r\n",
        "5_0\r\n",
        "000000000000000000000000000000005\r\n", /* 33 digits */
        "5\r\n\r\n000000000000000000000000000000000\r\n",
        "5\n",
        "5\r5",
        "5;a\n",
        "5;a\rb\r\n",
        "5;\x01\r\n",
        "5\r\n\n", /* the end of the content's line */
        "5\r\nx",  /* more content than was said */
        "5\r\n\rx",
        "0\r\n\n", /* the empty line */
        "0\r\n x: y\r\n\r\n",
        "0\r\nx : y\r\n\r\n",
        "0\r\nx: y\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(after_chunks(bad[i]), HTTP1_GUARD_BAD);
}

static void extensions_are_bounded_over_the_whole_body(void **state)
{
    (void)state;
    static char line[64];
    memset(line, 'e', sizeof(line));
    struct http1_guard guard;
    http1_guard_begin_chunks(&guard);
    uint32_t lines = 0;
    while (guard.state != HTTP1_GUARD_BAD) {
        http1_guard_take(&guard, "1;", 2);
        http1_guard_take(&guard, line, sizeof(line));
        http1_guard_take(&guard, "\r\n\r\n", 4);
        lines++;
    }
    assert_int_equal(lines, HTTP1_EXTENSION_BYTES / (sizeof(line) + 1) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_fields_end_at_the_empty_line),
        cmocka_unit_test(lines_that_readers_differ_about_are_bad),
        cmocka_unit_test(an_unfinished_section_has_no_end_yet),
        cmocka_unit_test(good_chunks_end_behind_their_trailers),
        cmocka_unit_test(funky_chunks_are_bad),
        cmocka_unit_test(extensions_are_bounded_over_the_whole_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
