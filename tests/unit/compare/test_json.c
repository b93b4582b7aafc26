#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proxy/compare/json_tree.h"
#include "tests/unit/compare/compare_support.h"

static int done(void **state)
{
    (void)state;
    compare_support_done();
    return 0;
}

static const struct compare_rules plain = {.status = true};

static const char *json(const char *first, const char *second)
{
    return compared(&plain, "application/json; charset=utf-8", first, second);
}

static void what_means_the_same_is_equal(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"{\"a\":1,\"b\":[true,null]}", " { \"b\" : [ true , null ] , \"a\" : 1 }\n"},
        {"\"\\u0041\\n\\ud83d\\ude00\\/\"", "\"A\\u000a😀/\""},
        {"1.0", "1"},
        {"10e-1", "1"},
        {"-0", "0"},
        {"0.000", "0e9"},
        {"123.4500E2", "12345"},
        {"9007199254740993.0", "9007199254740993"},
        {"18446744073709551615", "1.8446744073709551615e19"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(json(pairs[i][0], pairs[i][1]), "equal");
}

static void each_kind_of_difference_is_named_with_its_place(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"9007199254740993", "9007199254740992", "value $"},
        {"{\"id\":1}", "{\"id\":\"1\"}", "type $.id"},
        {"{\"a\":1,\"b\":2}", "{\"b\":2}", "missing $.a"},
        {"{\"b\":2}", "{\"b\":2,\"odd name\":2}", "extra $['odd name']"},
        {"{\"b\":true}", "{\"b\":false}", "value $.b"},
        {"{\"b\":null}", "{\"b\":false}", "type $.b"},
        {"[1,2,3]", "[1,3,2]", "order $"},
        {"[1,2,3]", "[1,2]", "length $"},
        {"[{\"n\":1},{\"n\":2}]", "[{\"n\":1},{\"n\":3}]", "value $[*].n"},
        {"[{\"n\":1},{\"n\":2}]", "[{\"n\":5},{\"n\":3}]", "value $[*].n"},
        {"{\"x\":[[1,2],[3,4]]}", "{\"x\":[[3,4],[1,2]]}", "order $.x"},
        {"{\"x\":[[1,2],[3,4]]}", "{\"x\":[[2,1],[3,4]]}", "order $.x[*]"},
        {"[1,\"1\"]", "[\"1\",1]", "order $"},
        {"[1.0,2]", "[2.0,1]", "order $"},
        {"[-10,\"1\"]", "[\"1\",-10]", "order $"},
        {"[-10]", "[\"1\"]", "type $[*]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(json(rows[i][0], rows[i][1]), rows[i][2]);
}

static void ignored_places_do_not_count(void **state)
{
    (void)state;
    static const char *const ignore[] = {
        "$.views",       "$..at",         "$.rows[*].x", "$.first[0]",
        "$['odd name']", "$..deep..leaf", "$.any.*.bad", NULL};
    struct compare_rules rules = rules_with(ignore, NULL);
    static const char *const rows[][3] = {
        {"{\"views\":1}", "{\"views\":2}", "equal"},
        {"{\"views\":1}", "{}", "equal"},
        {"{\"a\":{\"views\":1}}", "{\"a\":{\"views\":2}}", "value $.a.views"},
        {"{\"a\":[{\"at\":1}],\"at\":3}", "{\"a\":[{\"at\":2}]}", "equal"},
        {"{\"rows\":[{\"x\":1,\"y\":1}]}", "{\"rows\":[{\"x\":2,\"y\":1}]}", "equal"},
        {"{\"rows\":[{\"x\":1,\"y\":1}]}", "{\"rows\":[{\"x\":1,\"y\":2}]}", "value $.rows[*].y"},
        {"{\"first\":[1,2]}", "{\"first\":[3,2]}", "equal"},
        {"{\"first\":[1,2]}", "{\"first\":[1,3]}", "value $.first[*]"},
        {"{\"odd name\":1}", "{\"odd name\":2}", "equal"},
        {"{\"deep\":{\"q\":{\"leaf\":1}}}", "{\"deep\":{\"q\":{\"leaf\":2}}}", "equal"},
        {"{\"any\":{\"k\":{\"bad\":1}}}", "{\"any\":{\"k\":{\"bad\":2}}}", "equal"},
        /* An order is judged without what is ignored. */
        {"[{\"i\":1,\"at\":1},{\"i\":2,\"at\":2}]", "[{\"i\":2,\"at\":3},{\"i\":1,\"at\":4}]",
         "order $"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(compared(&rules, "application/json", rows[i][0], rows[i][1]),
                            rows[i][2]);
}

static void unordered_places_are_sets(void **state)
{
    (void)state;
    static const char *const unordered[] = {"$.tags", "$.rows[*].tags", NULL};
    struct compare_rules rules = rules_with(NULL, unordered);
    static const char *const rows[][3] = {
        {"{\"tags\":[1,2,3]}", "{\"tags\":[3,1,2]}", "equal"},
        {"{\"tags\":[1,1,2]}", "{\"tags\":[1,2,2]}", "value $.tags[*]"},
        {"{\"tags\":[1,2]}", "{\"tags\":[2,1,3]}", "length $.tags"},
        {"{\"rows\":[{\"tags\":[1,2]}]}", "{\"rows\":[{\"tags\":[2,1]}]}", "equal"},
        {"{\"rows\":[{\"tags\":[1,2],\"n\":1},{\"tags\":[3,4],\"n\":2}]}",
         "{\"rows\":[{\"tags\":[4,3],\"n\":2},{\"tags\":[2,1],\"n\":1}]}", "order $.rows"},
        {"{\"list\":[1,2]}", "{\"list\":[2,1]}", "order $.list"},
        /* Which one has become which: the one that is most alike. */
        {"{\"tags\":[{\"id\":1,\"n\":1,\"at\":1},{\"id\":2,\"n\":1,\"at\":2}]}",
         "{\"tags\":[{\"id\":2,\"n\":1,\"at\":9},{\"id\":1,\"n\":1,\"at\":8}]}",
         "value $.tags[*].at"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(compared(&rules, "application/json", rows[i][0], rows[i][1]),
                            rows[i][2]);
}

static void what_is_ambiguous_is_not_compared(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"a\":1,\"a\":1}", "not comparable: a member's name twice in one object"},
        {"{\"a\":1,\"\\u0061\":2}", "not comparable: a member's name twice in one object"},
        {"\"\xff\"", "not comparable: bad UTF-8"},
        {"\"\xc0\x80\"", "not comparable: bad UTF-8"},
        {"\"\xed\xa0\x80\"", "not comparable: bad UTF-8"},
        {"\"\\ud800\"", "not comparable: half a surrogate pair"},
        {"\"\\ud800\\u0041\"", "not comparable: half a surrogate pair"},
        {"1e1234567890", "not comparable: a number's exponent is too large"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(json(rows[i][0], "1"), rows[i][1]);
}

static void malformed_texts_are_not_compared(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{",        "[1,]",        "{\"a\"}",
        "{\"a\":}", "01",          "1.",
        "1e",       "-",           "+1",
        "tru",      "nulll",       "\"a",
        "\"\\x\"",  "\"\\u12g4\"", "[1 2]",
        "{a:1}",    "1 2",         "\"\t\"",
        "[",        "'a'",         "{\"a\":1,}",
        "NaN",      ".5",          "\"\\",
        "\"\\u00",  "]",           "\xef\xbb\xbf{}",
        ",",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(json(texts[i], "0"), "not comparable: malformed JSON");
}

static void limits_end_in_not_comparable(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 };
    char *text = malloc(SIZE + 1);
    memset(text, '[', SIZE);
    text[SIZE] = '\0';
    assert_string_equal(json(text, "0"), "not comparable: too many values");
    text[JSON_DEPTH_MAX + 2] = '\0';
    assert_string_equal(json(text, "0"), "not comparable: nested too deeply");
    memset(text, ',', SIZE);
    assert_string_equal(json(text, "0"), "not comparable: too many values");
    /* A name of 1 MiB, a number of 1 MiB. */
    memset(text, '7', SIZE);
    text[SIZE] = '\0';
    assert_string_equal(json(text, "0"), "value $");
    text[0] = '"';
    text[SIZE - 1] = '"';
    assert_string_equal(json(text, "\"\""), "value $");
    free(text);
}

static void equal_numbers_have_equal_hashes(void **state)
{
    (void)state;
    static const char *const rows[][4] = {
        {"0", "-0.0e-5", "0e7", "000.000"},
        {"100", "1e2", "100.00", "0.1e3"},
        {"-12000", "-12e3", "-0.012e6", "-1.2E+04"},
        {"0.001", "1e-3", "0.0010", "1000e-6"},
        {"10.01", "1001e-2", "0.1001e2", "10.0100"},
        {"12e-0000000000012", "12e-12", "1.2e-11", "0.12e-10"},
        {"9007199254740993", "9007199254740993.0", "9.007199254740993e15", "90071992547409930e-1"},
    };
    struct json_number numbers[7][4];
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 4; j++) {
            assert_true(json_number_read(strview_of(rows[i][j]), &numbers[i][j]));
            assert_true(json_number_equal(&numbers[i][0], &numbers[i][j]));
            assert_true(json_number_hash(&numbers[i][0]) == json_number_hash(&numbers[i][j]));
        }
        assert_true(i == 0 || !json_number_equal(&numbers[i - 1][0], &numbers[i][0]));
        assert_true(i == 0 ||
                    json_number_hash(&numbers[i - 1][0]) != json_number_hash(&numbers[i][0]));
    }
}

static void faulty_patterns_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
    } rows[] = {{"a", 0},    {"$", 1},    {"$.", 2}, {"$.a[", 4},  {"$.a[x]", 4},
                {"$['a", 3}, {"$.a]", 3}, {"$a", 1}, {"$.a[1", 5}, {"$....a", 3}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct path_pattern pattern;
        const char *fault = NULL;
        size_t offset = 999;
        assert_false(path_pattern_compile(strview_of(rows[i].text), &pattern, &fault, &offset));
        assert_non_null(fault);
        assert_int_equal(offset, rows[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_means_the_same_is_equal, done),
        cmocka_unit_test_teardown(each_kind_of_difference_is_named_with_its_place, done),
        cmocka_unit_test_teardown(ignored_places_do_not_count, done),
        cmocka_unit_test_teardown(unordered_places_are_sets, done),
        cmocka_unit_test_teardown(what_is_ambiguous_is_not_compared, done),
        cmocka_unit_test_teardown(malformed_texts_are_not_compared, done),
        cmocka_unit_test_teardown(limits_end_in_not_comparable, done),
        cmocka_unit_test(equal_numbers_have_equal_hashes),
        cmocka_unit_test(faulty_patterns_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
