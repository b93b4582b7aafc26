#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/core/strview.h"

/* The elements of a list, each followed by '|'. */
static size_t write_elements(const char *text, char *written, size_t size)
{
    struct strview list = strview_of(text);
    struct strview element;
    size_t used = 0;
    while (strview_next_element(&list, &element)) {
        assert_true(used + element.length + 2 <= size);
        memcpy(written + used, element.data, element.length);
        used += element.length;
        written[used++] = '|';
    }
    written[used] = '\0';
    return used;
}

static void list_elements_are_trimmed_and_empty_ones_are_skipped(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {" ", ""},
        {",", ""},
        {" , ,\t,", ""},
        {"a", "a|"},
        {"a,b", "a|b|"},
        {",a", "a|"},
        {"a,", "a|"},
        {" a , b ", "a|b|"},
        {"a,,b", "a|b|"},
        {"a b,c", "a b|c|"},
        {"a\t,\tb\t", "a|b|"},
        {"a;q=1, b", "a;q=1|b|"},
        {"\"x,y\"", "\"x|y\"|"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char written[64];
        write_elements(rows[i][0], written, sizeof(written));
        assert_string_equal(written, rows[i][1]);
    }
}

static void a_list_stays_at_its_end_once_it_is_there(void **state)
{
    (void)state;
    struct strview list = STRVIEW("a , ");
    struct strview element = STRVIEW_NONE;
    assert_true(strview_next_element(&list, &element));
    assert_false(strview_next_element(&list, &element));
    assert_false(strview_next_element(&list, &element));
    assert_true(strview_equal(element, STRVIEW("a"))); /* untouched on failure */
}

static void a_list_without_bytes_has_no_elements(void **state)
{
    (void)state;
    struct strview list = STRVIEW_NONE;
    struct strview element;
    assert_false(strview_next_element(&list, &element));
}

static void numbers_up_to_the_maximum_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t maximum;
        uint64_t value;
    } rows[] = {
        {"0", 0, 0},
        {"007", 9, 7},
        {"65535", 65535, 65535},
        {"18446744073709551615", UINT64_MAX, UINT64_MAX},
        {"00000000000000000000000018446744073709551615", UINT64_MAX, UINT64_MAX},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 1234;
        assert_true(strview_to_u64(strview_of(rows[i].text), rows[i].maximum, &value));
        assert_true(value == rows[i].value);
    }
}

static void what_is_no_number_or_above_the_maximum_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t maximum;
    } rows[] = {
        {"", UINT64_MAX},
        {"1", 0},
        {"65536", 65535},
        {"18446744073709551616", UINT64_MAX},
        {"18446744073709551617", UINT64_MAX},
        {"18446744073709551620", UINT64_MAX},
        {"36893488147419103232", UINT64_MAX}, /* 2^65: zero, if it wrapped */
        {"99999999999999999999", UINT64_MAX},
        {"100000000000000000000", UINT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"-1", UINT64_MAX},
        {"+1", UINT64_MAX},
        {" 1", UINT64_MAX},
        {"1 ", UINT64_MAX},
        {"1.0", UINT64_MAX},
        {"0x10", UINT64_MAX},
        {"1/", UINT64_MAX},
        {"1:", UINT64_MAX},
        {"\xb1", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 1234;
        assert_false(strview_to_u64(strview_of(rows[i].text), rows[i].maximum, &value));
        assert_int_equal(value, 1234);
    }
    uint64_t value = 1234;
    assert_false(strview_to_u64(strview_make("1\0", 2), UINT64_MAX, &value));
    assert_int_equal(value, 1234);
}

static void only_ascii_letters_are_equal_in_another_case(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char first = (char)a;
            char second = (char)b;
            bool letters = a != b && (a ^ b) == 0x20 && (((a | 0x20) >= 'a' && (a | 0x20) <= 'z'));
            assert_int_equal(
                strview_equal_ignore_case(strview_make(&first, 1), strview_make(&second, 1)),
                a == b || letters);
        }
    }
    assert_false(strview_equal_ignore_case(STRVIEW("ab"), STRVIEW("abc")));
    assert_true(strview_equal_ignore_case(STRVIEW_NONE, STRVIEW("")));
}

static int sign_of(int value)
{
    return (value > 0) - (value < 0);
}

static void comparing_puts_views_in_the_order_of_their_bytes_and_prefixes_first(void **state)
{
    (void)state;
    static const struct strview ordered[] = {
        {NULL, 0}, {"\0", 1}, {"a", 1}, {"a\0", 2}, {"aa", 2}, {"ab", 2}, {"b", 1}, {"\xff", 1},
    };
    enum { COUNT = sizeof(ordered) / sizeof(ordered[0]) };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            assert_int_equal(sign_of(strview_compare(ordered[i], ordered[j])), sign_of(i - j));
            assert_int_equal(strview_equal(ordered[i], ordered[j]), i == j);
        }
    }
}

static void finding_gives_the_first_place_or_the_length(void **state)
{
    (void)state;
    assert_int_equal(strview_find(STRVIEW_NONE, 'x'), 0);
    assert_int_equal(strview_find(STRVIEW("abcb"), 'b'), 1);
    assert_int_equal(strview_find(STRVIEW("abc"), 'x'), 3);
    assert_int_equal(strview_find(strview_make("abc", 2), 'c'), 2);
    assert_int_equal(strview_find(strview_make("a\0b", 3), '\0'), 1);
}

static void trimming_takes_spaces_and_tabs_from_both_ends_alone(void **state)
{
    (void)state;
    assert_int_equal(strview_trim(STRVIEW_NONE).length, 0);
    assert_int_equal(strview_trim(STRVIEW(" \t \t")).length, 0);
    assert_true(strview_equal(strview_trim(STRVIEW("\t a \t b ")), STRVIEW("a \t b")));
    assert_true(strview_equal(strview_trim(STRVIEW("\na\r")), STRVIEW("\na\r")));
}

static void a_prefix_is_never_longer_than_its_view(void **state)
{
    (void)state;
    assert_true(strview_starts_with(STRVIEW_NONE, STRVIEW_NONE));
    assert_true(strview_starts_with(STRVIEW("abc"), STRVIEW("")));
    assert_true(strview_starts_with(STRVIEW("abc"), STRVIEW("abc")));
    assert_false(strview_starts_with(strview_make("abc", 2), STRVIEW("abc")));
    assert_false(strview_starts_with(STRVIEW("abc"), STRVIEW("b")));
}

static void only_ascii_letters_are_lowered_wherever_they_stand(void **state)
{
    (void)state;
    char from[19];
    char to[sizeof(from)];
    for (int c = 0; c < 256; c++) {
        for (size_t length = 0; length <= sizeof(from); length++) {
            memset(from, c, sizeof(from));
            memset(to, '?', sizeof(to));
            ascii_lower_copy(to, from, length);
            for (size_t i = 0; i < sizeof(to); i++)
                assert_int_equal(to[i], i < length ? ascii_lower((char)c) : '?');
        }
    }
    char mixed[] = "x-ABYZ[@`az{-Content-TYPE";
    ascii_lower_copy(mixed, mixed, sizeof(mixed) - 1);
    assert_string_equal(mixed, "x-abyz[@`az{-content-type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_elements_are_trimmed_and_empty_ones_are_skipped),
        cmocka_unit_test(a_list_stays_at_its_end_once_it_is_there),
        cmocka_unit_test(a_list_without_bytes_has_no_elements),
        cmocka_unit_test(numbers_up_to_the_maximum_are_read),
        cmocka_unit_test(what_is_no_number_or_above_the_maximum_is_refused_and_writes_nothing),
        cmocka_unit_test(only_ascii_letters_are_equal_in_another_case),
        cmocka_unit_test(comparing_puts_views_in_the_order_of_their_bytes_and_prefixes_first),
        cmocka_unit_test(finding_gives_the_first_place_or_the_length),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_both_ends_alone),
        cmocka_unit_test(a_prefix_is_never_longer_than_its_view),
        cmocka_unit_test(only_ascii_letters_are_lowered_wherever_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
