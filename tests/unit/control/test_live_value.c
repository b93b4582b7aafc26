#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/control/live_value.h"
#include "proxy/routing/bucket.h"

static void assert_written(enum live_key key, uint64_t value, const char *expected)
{
    char text[LIVE_VALUE_BYTES];
    assert_string_equal(live_value_format(key, value, text), expected);
    uint64_t read = value + 1;
    assert_true(live_value_parse(key, strview_of(text), &read));
    assert_int_equal(read, value);
}

static void values_are_written_as_people_say_them(void **state)
{
    (void)state;
    assert_written(LIVE_STAGE, STAGE_RAMP, "ramp");
    assert_written(LIVE_WRITE_OWNER, WRITE_OWNER_FOLLOW, "follow");
    assert_written(LIVE_ABORTED, 1, "yes");
    assert_written(LIVE_ABORTED, 0, "no");
    assert_written(LIVE_FROZEN, 1700000000123, "1700000000123");
    assert_written(LIVE_PERCENT, 0, "0");
    assert_written(LIVE_PERCENT, 1, "0.0001");
    assert_written(LIVE_PERCENT, 125000, "12.5");
    assert_written(LIVE_PERCENT, 100000, "10");
    assert_written(LIVE_PERCENT, BUCKET_COUNT, "100");
}

static void every_percentage_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (uint64_t threshold = 0; threshold <= BUCKET_COUNT; threshold++) {
        char text[LIVE_VALUE_BYTES];
        uint64_t read = BUCKET_COUNT + 1;
        live_value_format(LIVE_PERCENT, threshold, text);
        if (!live_value_parse(LIVE_PERCENT, strview_of(text), &read) || read != threshold)
            fail_msg("%s is read as %llu", text, (unsigned long long)read);
    }
}

static void what_nobody_wrote_is_not_read(void **state)
{
    (void)state;
    static const struct {
        enum live_key key;
        const char *text;
    } rows[] = {
        {LIVE_STAGE, ""},          {LIVE_STAGE, "ramps"}, {LIVE_WRITE_OWNER, "both"},
        {LIVE_ABORTED, "1"},       {LIVE_FROZEN, "-1"},   {LIVE_FROZEN, "9223372036854775808"},
        {LIVE_PERCENT, ""},        {LIVE_PERCENT, "101"}, {LIVE_PERCENT, "100.0001"},
        {LIVE_PERCENT, "1.12345"}, {LIVE_PERCENT, "1."},  {LIVE_PERCENT, ".5"},
        {LIVE_PERCENT, "1,5"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 77;
        if (live_value_parse(rows[i].key, strview_of(rows[i].text), &value))
            fail_msg("\"%s\" is read", rows[i].text);
        assert_int_equal(value, 77);
    }
}

static void keys_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < LIVE_KEY_COUNT; i++) {
        enum live_key key = LIVE_KEY_COUNT;
        assert_true(live_key_parse(live_key_name((enum live_key)i), &key));
        assert_int_equal(key, i);
    }
    enum live_key key;
    assert_false(live_key_parse(STRVIEW("owner"), &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_as_people_say_them),
        cmocka_unit_test(every_percentage_is_read_as_it_was_written),
        cmocka_unit_test(what_nobody_wrote_is_not_read),
        cmocka_unit_test(keys_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
