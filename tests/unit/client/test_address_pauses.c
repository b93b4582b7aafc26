#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/client/address_pauses.h"

enum {
    SEED = 7,
    NOW_MS = 1000000,
    LONGEST_MS = 10000,
    STRANGERS = 200000,
};

static struct ip_address ip_of(const char *text)
{
    struct ip_address ip;
    assert_true(ip_parse(strview_of(text), &ip));
    return ip;
}

static struct ip_address ip_number(uint32_t number)
{
    struct ip_address ip = ip_of("10.0.0.0");
    for (int i = 0; i < 3; i++)
        ip.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    return ip;
}

/* As many ends as make a pause, at once; how long that is. */
static uint32_t offend(struct address_pauses *pauses, const struct ip_address *ip,
                       uint32_t longest_ms, uint64_t now_ms)
{
    for (int i = 1; i < ADDRESS_PAUSE_ENDS; i++)
        assert_int_equal(address_pauses_note(pauses, ip, longest_ms, now_ms), 0);
    return address_pauses_note(pauses, ip, longest_ms, now_ms);
}

static void one_end_or_two_are_forgiven(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    for (uint64_t at = NOW_MS; at < NOW_MS + 600000; at += ADDRESS_PAUSE_WINDOW_MS / 2 + 1)
        assert_int_equal(address_pauses_note(pauses, &ip, LONGEST_MS, at), 0);
    assert_false(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS + 600000));
    address_pauses_free(pauses);
}

static void three_ends_in_a_short_time_make_a_pause_of_a_second(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    struct ip_address other = ip_of("192.0.2.2");
    assert_int_equal(offend(pauses, &ip, LONGEST_MS, NOW_MS), 1000);
    assert_true(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS));
    assert_true(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS + 999));
    assert_int_equal(address_pauses_count(pauses, LONGEST_MS, NOW_MS + 999), 1);
    assert_false(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS + 1000));
    assert_int_equal(address_pauses_count(pauses, LONGEST_MS, NOW_MS + 1000), 0);
    assert_false(address_pauses_has(pauses, &other, LONGEST_MS, NOW_MS));
    address_pauses_free(pauses);
}

static void a_pause_is_twice_as_long_each_time_up_to_the_longest(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    static const uint32_t expected[] = {1000, 2000, 4000, 8000, 10000, 10000};
    uint64_t now_ms = NOW_MS;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(offend(pauses, &ip, LONGEST_MS, now_ms), expected[i]);
        now_ms += expected[i];
    }
    address_pauses_free(pauses);
}

static void connections_from_before_do_not_make_a_pause_longer(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    offend(pauses, &ip, LONGEST_MS, NOW_MS);
    for (int i = 0; i < 100; i++)
        assert_int_equal(address_pauses_note(pauses, &ip, LONGEST_MS, NOW_MS + 500), 0);
    assert_false(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS + 1000));
    assert_int_equal(offend(pauses, &ip, LONGEST_MS, NOW_MS + 1000), 2000);
    address_pauses_free(pauses);
}

static void who_is_calm_for_a_minute_begins_anew(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    offend(pauses, &ip, LONGEST_MS, NOW_MS);
    uint64_t later_ms = NOW_MS + 1000 + ADDRESS_PAUSE_CALM_MS;
    assert_int_equal(offend(pauses, &ip, LONGEST_MS, later_ms - 1), 2000);
    later_ms += 2000 + ADDRESS_PAUSE_CALM_MS;
    assert_int_equal(offend(pauses, &ip, LONGEST_MS, later_ms), 1000);
    address_pauses_free(pauses);
}

static void zero_is_never_and_a_shorter_limit_ends_what_is_under_way(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    for (int i = 0; i < 100; i++)
        assert_int_equal(address_pauses_note(pauses, &ip, 0, NOW_MS), 0);
    assert_int_equal(offend(pauses, &ip, LONGEST_MS, NOW_MS), 1000);
    assert_true(address_pauses_has(pauses, &ip, 500, NOW_MS + 499));
    assert_false(address_pauses_has(pauses, &ip, 500, NOW_MS + 500));
    assert_false(address_pauses_has(pauses, &ip, 0, NOW_MS));
    address_pauses_free(pauses);
}

static void hosts_of_one_ipv6_network_pause_together(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address one = ip_of("2001:db8::1");
    struct ip_address other = ip_of("2001:db8::2");
    struct ip_address neighbour = ip_of("2001:db8:0:1::1");
    address_pauses_note(pauses, &one, LONGEST_MS, NOW_MS);
    address_pauses_note(pauses, &other, LONGEST_MS, NOW_MS);
    assert_int_equal(address_pauses_note(pauses, &one, LONGEST_MS, NOW_MS), 1000);
    assert_true(address_pauses_has(pauses, &other, LONGEST_MS, NOW_MS));
    assert_false(address_pauses_has(pauses, &neighbour, LONGEST_MS, NOW_MS));
    address_pauses_free(pauses);
}

/* Workers read the time at different moments of their turns. */
static void a_clock_that_is_a_little_behind_does_no_harm(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    address_pauses_note(pauses, &ip, LONGEST_MS, NOW_MS);
    address_pauses_note(pauses, &ip, LONGEST_MS, NOW_MS - 20);
    assert_int_equal(address_pauses_note(pauses, &ip, LONGEST_MS, NOW_MS - 10), 1000);
    assert_true(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS - 20));
    address_pauses_free(pauses);
}

static void of_more_addresses_than_there_is_room_for_the_newest_are_known(void **state)
{
    (void)state;
    struct address_pauses *pauses = address_pauses_new(SEED);
    for (uint32_t i = 0; i < STRANGERS; i++) {
        struct ip_address ip = ip_number(i);
        assert_int_equal(offend(pauses, &ip, LONGEST_MS, NOW_MS + i / 1000), 1000);
        assert_true(address_pauses_has(pauses, &ip, LONGEST_MS, NOW_MS + i / 1000));
    }
    uint64_t now_ms = NOW_MS + STRANGERS / 1000;
    uint32_t count = address_pauses_count(pauses, LONGEST_MS, now_ms);
    assert_in_range(count, ADDRESS_PAUSES_MAX / 2, ADDRESS_PAUSES_MAX);
    address_pauses_free(pauses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_end_or_two_are_forgiven),
        cmocka_unit_test(three_ends_in_a_short_time_make_a_pause_of_a_second),
        cmocka_unit_test(a_pause_is_twice_as_long_each_time_up_to_the_longest),
        cmocka_unit_test(connections_from_before_do_not_make_a_pause_longer),
        cmocka_unit_test(who_is_calm_for_a_minute_begins_anew),
        cmocka_unit_test(zero_is_never_and_a_shorter_limit_ends_what_is_under_way),
        cmocka_unit_test(hosts_of_one_ipv6_network_pause_together),
        cmocka_unit_test(a_clock_that_is_a_little_behind_does_no_harm),
        cmocka_unit_test(of_more_addresses_than_there_is_room_for_the_newest_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
