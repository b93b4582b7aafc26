#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "proxy/client/address_counts.h"

enum { SEED = 7, THREADS = 4, ROUNDS = 20000, THREAD_LIMIT = 2, MANY = 200000 };

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

static void one_more_than_the_limit_is_refused_until_one_is_gone(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    assert_true(address_counts_add(counts, &ip, 2));
    assert_true(address_counts_add(counts, &ip, 2));
    assert_false(address_counts_add(counts, &ip, 2));
    assert_int_equal(address_counts_get(counts, &ip), 2);
    address_counts_remove(counts, &ip);
    assert_true(address_counts_add(counts, &ip, 2));
    address_counts_remove(counts, &ip);
    address_counts_remove(counts, &ip);
    assert_int_equal(address_counts_get(counts, &ip), 0);
    address_counts_free(counts);
}

static void another_address_has_a_limit_of_its_own(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    struct ip_address one = ip_of("192.0.2.1");
    struct ip_address other = ip_of("192.0.2.2");
    assert_true(address_counts_add(counts, &one, 1));
    assert_true(address_counts_add(counts, &other, 1));
    assert_false(address_counts_add(counts, &one, 1));
    address_counts_remove(counts, &one);
    address_counts_remove(counts, &other);
    address_counts_free(counts);
}

static void hosts_of_one_ipv6_network_share_a_limit(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    struct ip_address one = ip_of("2001:db8::1");
    struct ip_address other = ip_of("2001:db8::2");
    struct ip_address neighbour = ip_of("2001:db8:0:1::1");
    assert_true(address_counts_add(counts, &one, 1));
    assert_false(address_counts_add(counts, &other, 1));
    assert_true(address_counts_add(counts, &neighbour, 1));
    address_counts_remove(counts, &one);
    address_counts_remove(counts, &neighbour);
    address_counts_free(counts);
}

static void what_came_without_a_limit_counts_for_one_that_is_set_later(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    struct ip_address ip = ip_of("192.0.2.1");
    for (int i = 0; i < 5; i++)
        assert_true(address_counts_add(counts, &ip, 0));
    assert_false(address_counts_add(counts, &ip, 5));
    for (int i = 0; i < 5; i++)
        address_counts_remove(counts, &ip);
    address_counts_free(counts);
}

/* More addresses than there are buckets. */
static void many_addresses_are_told_apart(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    for (uint32_t i = 0; i < MANY; i++) {
        struct ip_address ip = ip_number(i);
        assert_true(address_counts_add(counts, &ip, 1));
    }
    for (uint32_t i = 0; i < MANY; i += 2) {
        struct ip_address ip = ip_number(i);
        address_counts_remove(counts, &ip);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        struct ip_address ip = ip_number(i);
        assert_int_equal(address_counts_get(counts, &ip), i % 2);
    }
    for (uint32_t i = 1; i < MANY; i += 2) {
        struct ip_address ip = ip_number(i);
        address_counts_remove(counts, &ip);
    }
    address_counts_free(counts); /* nothing is left, or it would say so */
}

static void *come_and_go(void *argument)
{
    struct address_counts *counts = argument;
    uintptr_t faults = 0;
    struct ip_address shared = ip_number(1);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct ip_address other = ip_number(i % 100 + 2);
        bool added = address_counts_add(counts, &shared, THREAD_LIMIT);
        address_counts_add(counts, &other, 0);
        faults += address_counts_get(counts, &shared) > THREAD_LIMIT;
        address_counts_remove(counts, &other);
        if (added)
            address_counts_remove(counts, &shared);
    }
    return (void *)faults;
}

static void the_limit_holds_for_all_threads_together(void **state)
{
    (void)state;
    struct address_counts *counts = address_counts_new(SEED);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, counts), 0);
    for (int i = 0; i < THREADS; i++) {
        void *faults = NULL;
        pthread_join(threads[i], &faults);
        assert_null(faults);
    }
    address_counts_free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_more_than_the_limit_is_refused_until_one_is_gone),
        cmocka_unit_test(another_address_has_a_limit_of_its_own),
        cmocka_unit_test(hosts_of_one_ipv6_network_share_a_limit),
        cmocka_unit_test(what_came_without_a_limit_counts_for_one_that_is_set_later),
        cmocka_unit_test(many_addresses_are_told_apart),
        cmocka_unit_test(the_limit_holds_for_all_threads_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
