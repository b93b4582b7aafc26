#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "proxy/compare/decode.h"
#include "tests/unit/compare/compare_support.h"

static int done(void **state)
{
    (void)state;
    compare_support_done();
    return 0;
}

static const struct compare_rules plain = {.status = true};

static void status_and_chosen_fields_are_compared(void **state)
{
    (void)state;
    static const struct strview names[] = {STRVIEW("location"), STRVIEW("etag")};
    struct compare_rules rules = {.status = true, .headers = names, .header_count = 2};
    struct compared_answer first = answer_of(200, "text/plain", STRVIEW("a"));
    struct compared_answer second = answer_of(404, "text/html", STRVIEW("b"));
    assert_string_equal(compared_answers(&rules, &first, &second), "status status");
    second = answer_of(200, "TEXT/plain", STRVIEW("a"));
    answer_add(&first, "location", "/a;jsessionid=1");
    answer_add(&second, "location", "/a;jsessionid=2");
    answer_add(&first, "date", "today");
    assert_string_equal(compared_answers(&rules, &first, &second), "equal");
    answer_add(&first, "etag", "1");
    assert_string_equal(compared_answers(&rules, &first, &second), "header header:etag");
    static const struct strview ignored[] = {STRVIEW("etag")};
    rules.ignored_headers = ignored;
    rules.ignored_header_count = 1;
    assert_string_equal(compared_answers(&rules, &first, &second), "equal");
    rules.status = false;
    second.status = 500;
    assert_string_equal(compared_answers(&rules, &first, &second), "equal");
}

static void other_types_are_compared_by_bytes(void **state)
{
    (void)state;
    assert_string_equal(compared(&plain, "text/plain", "[1]", "[1]"), "equal");
    assert_string_equal(compared(&plain, "text/plain", "[1]", "[1.0]"), "value body");
    assert_string_equal(compared(&plain, NULL, "abc", "abcd"), "length body");
    assert_string_equal(compared(&plain, "application/json", "{}", ""), "length body");
    assert_string_equal(compared(&plain, "application/problem+json", "{\"a\":1}", "{\"a\":2}"),
                        "value $.a");
}

static void what_was_cut_off_is_not_compared(void **state)
{
    (void)state;
    struct compared_answer first = answer_of(200, "text/plain", STRVIEW("a"));
    struct compared_answer second = first;
    second.complete = false;
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: longer than what is kept");
}

static struct strview compressed(const char *text, size_t length, int window_bits, char *out,
                                 size_t room)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)length};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    struct strview result = strview_make(out, room - stream.avail_out);
    deflateEnd(&stream);
    return result;
}

static void codings_are_taken_off(void **state)
{
    (void)state;
    static const struct {
        const char *coding;
        int window_bits;
    } rows[] = {{"gzip", 15 + 16}, {"X-GZIP", 15 + 16}, {"deflate", 15}, {"deflate", -15}};
    struct compared_answer first = answer_of(200, "application/json", STRVIEW("{\"a\": 1}"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[200];
        struct strview body = compressed("{\"a\":1}", 7, rows[i].window_bits, room, sizeof(room));
        struct compared_answer second = answer_of(200, "application/json", body);
        answer_add(&second, "content-encoding", rows[i].coding);
        assert_string_equal(compared_answers(&plain, &first, &second), "equal");
        second.body.length--;
        assert_string_equal(compared_answers(&plain, &first, &second),
                            "not comparable: a damaged content coding");
    }
}

/* Made by another program from {"a":1}. */
static void brotli_is_taken_off(void **state)
{
    (void)state;
    static const char bytes[] = {0x0b, 0x03, (char)0x80, '{', '"', 'a', '"', ':', '1', '}', 0x03};
    struct compared_answer first = answer_of(200, "application/json", STRVIEW("{\"a\": 1}"));
    struct compared_answer second =
        answer_of(200, "application/json", strview_make(bytes, sizeof(bytes)));
    answer_add(&second, "content-encoding", "br");
    assert_string_equal(compared_answers(&plain, &first, &second), "equal");
    second.body.length--;
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: a damaged content coding");
}

static void bombs_and_strange_codings_are_not_compared(void **state)
{
    (void)state;
    enum { SIZE = 16 * 1024 * 1024 };
    char *zeros = calloc(1, SIZE);
    char *room = malloc(SIZE / 16);
    struct compared_answer first = answer_of(200, "text/plain", STRVIEW("x"));
    struct compared_answer second =
        answer_of(200, "text/plain", compressed(zeros, SIZE, 31, room, SIZE / 16));
    answer_add(&second, "content-encoding", "gzip");
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: too large when decoded");
    char *outer = malloc(SIZE / 16);
    struct strview twice = compressed(second.body.data, second.body.length, 31, outer, SIZE / 16);
    second = answer_of(200, "text/plain", twice);
    answer_add(&second, "content-encoding", "gzip");
    answer_add(&second, "content-encoding", "gzip");
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: too large when decoded");
    free(outer);
    second = answer_of(200, "text/plain", STRVIEW("x"));
    answer_add(&second, "content-encoding", "gzip, br, gzip");
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: too many content codings");
    second = answer_of(200, "text/plain", STRVIEW("x"));
    answer_add(&second, "content-encoding", "zstd");
    assert_string_equal(compared_answers(&plain, &first, &second),
                        "not comparable: an unknown content coding");
    free(zeros);
    free(room);
}

static void the_same_bytes_are_equal_even_where_nobody_can_read_them(void **state)
{
    (void)state;
    static const char *const codings[] = {"zstd", "gzip", "gzip, br, gzip"};
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        struct compared_answer first = answer_of(200, "application/json", STRVIEW("{\"a\":1"));
        struct compared_answer second = first;
        struct headers none = *first.headers;
        answer_add(&first, "content-encoding", codings[i]);
        second.headers = first.headers;
        assert_string_equal(compared_answers(&plain, &first, &second), "equal");
        assert_true(answers_have_same_head(&plain, &first, &second));
        second.complete = false;
        assert_non_null(strstr(compared_answers(&plain, &first, &second), "not comparable: "));
        second.complete = true;
        second.headers = &none;
        assert_false(answers_have_same_head(&plain, &first, &second));
        assert_non_null(strstr(compared_answers(&plain, &first, &second), "not comparable: "));
    }
}

static void heads_are_the_same_if_all_that_is_compared_is(void **state)
{
    (void)state;
    static const struct strview names[] = {STRVIEW("etag")};
    struct compare_rules rules = {.status = true, .headers = names, .header_count = 1};
    struct compared_answer first = answer_of(200, "text/plain", STRVIEW("a"));
    struct compared_answer second = answer_of(200, "text/plain", STRVIEW("a"));
    answer_add(&first, "date", "today");
    assert_true(answers_have_same_head(&rules, &first, &second));
    answer_add(&first, "etag", "1");
    assert_false(answers_have_same_head(&rules, &first, &second));
    answer_add(&second, "etag", "1");
    assert_true(answers_have_same_head(&rules, &first, &second));
    answer_add(&second, "etag", "2");
    assert_false(answers_have_same_head(&rules, &first, &second));
    answer_add(&first, "etag", "3");
    assert_false(answers_have_same_head(&rules, &first, &second));
    second = answer_of(201, "text/plain", STRVIEW("a"));
    assert_false(answers_have_same_head(&plain, &first, &second));
    second = answer_of(200, "TEXT/plain", STRVIEW("a"));
    assert_false(answers_have_same_head(&plain, &first, &second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(status_and_chosen_fields_are_compared, done),
        cmocka_unit_test_teardown(other_types_are_compared_by_bytes, done),
        cmocka_unit_test_teardown(what_was_cut_off_is_not_compared, done),
        cmocka_unit_test_teardown(codings_are_taken_off, done),
        cmocka_unit_test_teardown(brotli_is_taken_off, done),
        cmocka_unit_test_teardown(bombs_and_strange_codings_are_not_compared, done),
        cmocka_unit_test_teardown(the_same_bytes_are_equal_even_where_nobody_can_read_them, done),
        cmocka_unit_test_teardown(heads_are_the_same_if_all_that_is_compared_is, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
