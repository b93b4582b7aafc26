#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/path_id.h"
#include "monolith_stub/legacy_id.h"

struct id_case {
    const char *segment;
    int64_t id;
};

static const struct id_case numbers[] = {
    {"1", 1},
    {"1abc", 1},
    {"01", 1},
    {"1.9", 1},
    {"1e3", 1},
    {"%31", 1},
    {"%201", 1},
    {"%09%0a%0b%0c%0d1", 1},
    {"%C2%A01", 1},
    {"%EF%BB%BF1", 1},
    {"%E2%80%A81", 1},
    {" 1", 1},
    {"+1", 1},
    {"-1", -1},
    {"-0", 0},
    {"%2b1", 1},
    {"0x1", 1},
    {"0X1f", 31},
    {"-0x2", -2},
    {"0x1g", 1},
    {"1%zz", 1},
    {"1%", 1},
    {"1%2", 1},
    {"1%ff", 1},
    {"1%00", 1},
    {"1%2f2", 1},
    {"1,2", 1},
    {"1_000", 1},
    {"12%33", 123},
    {"9007199254740992", INT64_C(9007199254740992)},
    {"000000000000000000000000000000000000007", 7},
};

static const char *const no_numbers[] = {
    "",
    "a1",
    "abc",
    "%",
    "%%31",
    "%zz1",
    "%31%zz",
    "%31%ff",
    "%001",
    ".5",
    "- 1",
    "--1",
    "+-1",
    "0x",
    "0xg",
    "%C2%A0",
    "NaN",
    "Infinity",
    "%ff1",
    "%C0%B1",
    "%ED%A0%801",
    "%F4%90%80%801",
    "..",
    "9007199254740993",
    "99999999999999999999999999",
    "0x7fffffffffffffffffff",
    "%E1%9A",
    "%d9%a1",
    "#1",
    "$1",
};

static void both_sides_read_the_same_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        size_t length = strlen(numbers[i].segment);
        int64_t id = -77;
        assert_true(legacy_id_read(numbers[i].segment, length, &id));
        assert_int_equal(id, numbers[i].id);
        id = -77;
        assert_true(path_id_parse(numbers[i].segment, length, &id));
        assert_int_equal(id, numbers[i].id);
    }
}

static void both_sides_refuse_what_is_no_number_and_leave_the_output_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++) {
        size_t length = strlen(no_numbers[i]);
        int64_t id = -77;
        assert_false(legacy_id_read(no_numbers[i], length, &id));
        assert_false(path_id_parse(no_numbers[i], length, &id));
        assert_int_equal(id, -77);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Odd text, mostly of bytes that mean something to either reader. */
static size_t write_odd_segment(uint32_t *seed, char *room, size_t room_size)
{
    static const char bytes[] = "0123456789%%%%aAbBcCdDeEfFxX+-. \xc2\xa0\xe2\x80\xef\xbb\xbf/";
    size_t length = next_random(seed) % room_size;
    for (size_t i = 0; i < length; i++)
        room[i] = bytes[next_random(seed) % (sizeof(bytes) - 1)];
    return length;
}

static void both_sides_agree_on_a_hundred_thousand_odd_segments(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        char segment[24];
        size_t length = write_odd_segment(&seed, segment, sizeof(segment));
        int64_t legacy = 0;
        int64_t extracted = 0;
        bool legacy_found = legacy_id_read(segment, length, &legacy);
        assert_int_equal(legacy_found, path_id_parse(segment, length, &extracted));
        assert_int_equal(legacy, extracted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_read_the_same_numbers),
        cmocka_unit_test(both_sides_refuse_what_is_no_number_and_leave_the_output_alone),
        cmocka_unit_test(both_sides_agree_on_a_hundred_thousand_odd_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
