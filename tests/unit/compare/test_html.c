#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "tests/unit/compare/compare_support.h"

static int done(void **state)
{
    (void)state;
    compare_support_done();
    return 0;
}

static const struct compare_rules plain = {.status = true};

static const char *html(const char *first, const char *second)
{
    return compared(&plain, "text/html; charset=utf-8", first, second);
}

static void what_a_browser_shows_alike_is_equal(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"<p>a  b</p>", "<P>\n a b </P>"},
        {"<p class=a id='b'>x</p>", "<p id=\"b\" class=\"a\">x</p>"},
        {"<p>caf&#233; &amp; &#x26;</p>", "<p>café &#38; &amp;</p>"},
        {"<p>a<!-- 1 --></p>", "<p>a</p><!-- two > -->"},
        {"<!DOCTYPE html><p>", "<!doctype  HTML><p>"},
        {"<input disabled>", "<input disabled=\"\">"},
        {"<br/>", "<br>"},
        {"a < b", "a &lt; b"},
        {"<ul><li>1<li>2</ul><p>x", "<ul><li>1</li><li>2</li></ul><p>x</p></body></html>"},
        {"<table><tr><td>1</td></table>", "<table><tr><td>1</td></tr></table>"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(html(pairs[i][0], pairs[i][1]), "equal");
}

static void what_is_new_in_every_answer_is_equal(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"<input type=hidden name=csrf value=1>", "<input type=hidden name=csrf value=2>"},
        {"<meta name='csrf-token' content=a>", "<meta name='csrf-token' content=b>"},
        {"<script nonce=a>x</script>", "<script nonce=b>x</script>"},
        {"<a href='/t;jsessionid=A1?x=1'>", "<a href='/t;jsessionid=B2?x=1'>"},
        {"<a href='/t?PHPSESSID=1&x=1'>", "<a href='/t?PHPSESSID=2&x=1'>"},
        {"<form action='?sid=abc#f'>", "<form action='?sid=d#f'>"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(html(pairs[i][0], pairs[i][1]), "equal");
    assert_string_equal(html("<a href='/t?sid=1'>", "<a href='/t'>"), "value html: a @href");
    assert_string_equal(html("<input name=q value=1>", "<input name=q value=2>"),
                        "value html: input @value");
    assert_string_equal(html("<a href='/?aside=1'>", "<a href='/?aside=2'>"),
                        "value html: a @href");
}

static void differences_are_named_by_the_elements_around_them(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"<main><p class='by who'>anna</p></main>", "<main><p class='by who'>bea</p></main>",
         "value html: main > p.by"},
        {"<ul><li>1</li><li>2</li><li>3</li></ul>", "<ul><li>1</li><li>3</li></ul>",
         "value html: ul > li; missing html: ul > li; missing html: ul"},
        {"<div><b>x</b><i>y</i></div>", "<div><i>y</i></div>",
         "missing html: div > b; missing html: div"},
        {"<div><i>y</i></div>", "<div><b>x</b><i>y</i></div>",
         "extra html: div > b; extra html: div"},
        {"<p id=1>a</p><p id=2>b</p>", "<p id=2>b</p>", "missing html: p; missing html:"},
        {"<p title=a>x</p>", "<p>x</p>", "missing html: p @title"},
        {"<p>x</p>", "<p lang=a>x</p>", "extra html: p @lang"},
        {"<script>a</script>", "<script>b</script>", "value html: script"},
        {"<p><b>x</b></p>", "<p><b>x</p>", "missing html: p > b"},
        {"<p><b>x</p>", "<p><b>x</b></p>", "extra html:"},
        {"<div></b></div>", "<div></div>", "missing html: div"},
        {"<textarea>&lt;</textarea>", "<textarea>&gt;</textarea>", "value html: textarea"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(html(rows[i][0], rows[i][1]), rows[i][2]);
}

static struct html_selector selector_of(const char *text)
{
    struct html_selector selector;
    const char *fault;
    assert_true(html_selector_compile(strview_of(text), &selector, &fault));
    return selector;
}

static void ignored_elements_do_not_count(void **state)
{
    (void)state;
    struct html_selector selectors[] = {selector_of("time"), selector_of(".ad.large"),
                                        selector_of("#clock"), selector_of("input[name=q]"),
                                        selector_of("div[data-x]")};
    struct compare_rules rules = {.status = true, .ignored_elements = {selectors, 5}};
    static const char *const rows[][3] = {
        {"<p>a<time>1</time></p>", "<p>a<time>2</time></p>", "equal"},
        {"<p class='ad large'><b>x</b></p>", "<p class='large ad'></p>", "equal"},
        {"<p class='ad'>x</p>", "<p class='ad'></p>", "missing html: p.ad"},
        {"<div data-x><div>1</div>2</div>3", "<div data-x><div>4</div>5</div>3", "equal"},
        {"<input name=q value=1>a", "<input name=q value=2>a", "equal"},
        {"<i id=clock>1</i>", "<i id=clock>2</i>", "equal"},
        {"<time>1", "<time>2</time>x", "extra html:"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(compared(&rules, "text/html", rows[i][0], rows[i][1]), rows[i][2]);
}

static void faulty_selectors_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "p ", "p > a", ".",          "#",
                                        "[", "[a", "[]",    "p.a.b.c.d.e"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct html_selector selector;
        const char *fault = NULL;
        assert_false(html_selector_compile(strview_of(texts[i]), &selector, &fault));
        assert_non_null(fault);
    }
}

static char *repeated(const char *piece, size_t bytes)
{
    size_t length = strlen(piece);
    char *text = malloc(bytes + length + 1);
    size_t used = 0;
    for (; used < bytes; used += length)
        memcpy(text + used, piece, length);
    text[used] = '\0';
    return text;
}

/* Half a second of our own time is far more than any of them needs, and far less than a quadratic
 * reader would. */
static void hostile_pages_take_little_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "<",   "<a",    "<!--",    "</",     "<script>",       "<p>",       "<p a=\"",
        "&#x", "<a b=", "<title>", "<b><i>", "<ul><li id=1>x", "<![CDATA[", "<p a b c d e f g>",
        " ",   "&amp;"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char *first = repeated(pieces[i], 300000);
        char *second = repeated(pieces[(i + 1) % 16], 300000);
        clock_t began = clock();
        html(first, second);
        double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
        assert_true(seconds < 10);
        compare_support_done();
        free(first);
        free(second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_a_browser_shows_alike_is_equal, done),
        cmocka_unit_test_teardown(what_is_new_in_every_answer_is_equal, done),
        cmocka_unit_test_teardown(differences_are_named_by_the_elements_around_them, done),
        cmocka_unit_test_teardown(ignored_elements_do_not_count, done),
        cmocka_unit_test(faulty_selectors_are_refused),
        cmocka_unit_test_teardown(hostile_pages_take_little_time, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
