#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http/uuid.h"

struct uuid_text {
    char text[UUID_TEXT_BYTES + 1];
};

static struct uuid_text uuid_of(uint64_t unix_ms, int random_byte)
{
    uint8_t random[UUID_RANDOM_BYTES];
    memset(random, random_byte, sizeof(random));
    struct uuid_text uuid = {""};
    uuid7_format(unix_ms, random, uuid.text);
    return uuid;
}

static void an_id_has_its_time_version_and_variant_in_their_places(void **state)
{
    (void)state;
    assert_string_equal(uuid_of(0x017f22e279b0, 0x00).text, "017f22e2-79b0-7000-8000-000000000000");
    assert_string_equal(uuid_of(0x017f22e279b0, 0xff).text, "017f22e2-79b0-7fff-bfff-ffffffffffff");
    uint8_t random[UUID_RANDOM_BYTES] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc,
                                         0x0c, 0x0c, 0x07, 0x39, 0x8f};
    char text[UUID_TEXT_BYTES + 1] = "";
    uuid7_format(0x017f22e279b0, random, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"); /* RFC 9562 appendix A.6 */
}

static void ids_sort_as_their_times_do(void **state)
{
    (void)state;
    static const uint64_t times[] = {
        0,          1,          255,           256,           65535,           65536,
        0xffffffff, 1ull << 32, 1700000000000, 1700000000001, (1ull << 48) - 1};
    for (size_t i = 1; i < sizeof(times) / sizeof(times[0]); i++) {
        struct uuid_text before = uuid_of(times[i - 1], 0xff);
        struct uuid_text after = uuid_of(times[i], 0x00);
        assert_true(strcmp(before.text, after.text) < 0);
    }
}

static void a_time_beyond_48_bits_is_cut(void **state)
{
    (void)state;
    assert_string_equal(uuid_of((1ull << 48) + 5, 7).text, uuid_of(5, 7).text);
}

static void every_random_byte_is_used(void **state)
{
    (void)state;
    uint8_t random[UUID_RANDOM_BYTES] = {0};
    char first[UUID_TEXT_BYTES];
    uuid7_format(0, random, first);
    for (int i = 0; i < UUID_RANDOM_BYTES; i++) {
        char other[UUID_TEXT_BYTES];
        random[i] = 1;
        uuid7_format(0, random, other);
        random[i] = 0;
        assert_memory_not_equal(first, other, UUID_TEXT_BYTES);
    }
}

static void bytes_become_two_lower_case_digits_each(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xab, 0xff};
    char text[11] = "..........";
    hex_format(bytes, 5, text);
    assert_string_equal(text, "000ff0abff");
    hex_format(bytes, 0, text);
    assert_string_equal(text, "000ff0abff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_its_time_version_and_variant_in_their_places),
        cmocka_unit_test(ids_sort_as_their_times_do),
        cmocka_unit_test(a_time_beyond_48_bits_is_cut),
        cmocka_unit_test(every_random_byte_is_used),
        cmocka_unit_test(bytes_become_two_lower_case_digits_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
