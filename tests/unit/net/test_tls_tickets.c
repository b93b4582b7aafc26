#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "proxy/net/tls_tickets.h"

enum { BEGIN_S = 1000000 };

static void keys_stay_the_same_for_their_turn(void **state)
{
    (void)state;
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_ticket_key first;
    struct tls_ticket_key later;
    assert_true(tls_tickets_current(tickets, BEGIN_S, &first));
    assert_true(tls_tickets_current(tickets, BEGIN_S + TLS_TICKET_TURN_S - 1, &later));
    assert_memory_equal(&first, &later, sizeof(first));
    assert_memory_not_equal(first.cipher, first.mac, sizeof(first.mac));
    tls_tickets_unref(tickets);
}

static void after_its_turn_a_key_opens_tickets_for_another_and_no_longer(void **state)
{
    (void)state;
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_ticket_key first;
    struct tls_ticket_key second;
    struct tls_ticket_key found;
    assert_true(tls_tickets_current(tickets, BEGIN_S, &first));
    assert_true(tls_tickets_current(tickets, BEGIN_S + TLS_TICKET_TURN_S, &second));
    assert_memory_not_equal(first.name, second.name, sizeof(first.name));
    assert_memory_not_equal(first.cipher, second.cipher, sizeof(first.cipher));
    uint64_t last_s = BEGIN_S + 2 * TLS_TICKET_TURN_S - 1;
    assert_true(tls_tickets_find(tickets, first.name, last_s, &found));
    assert_memory_equal(&first, &found, sizeof(first));
    assert_true(tls_tickets_find(tickets, second.name, last_s, &found));
    assert_memory_equal(&second, &found, sizeof(second));
    assert_false(tls_tickets_find(tickets, first.name, last_s + 1, &found));
    tls_tickets_unref(tickets);
}

static void a_key_that_nobody_used_for_long_is_gone_too(void **state)
{
    (void)state;
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_ticket_key key;
    struct tls_ticket_key found;
    assert_true(tls_tickets_current(tickets, BEGIN_S, &key));
    assert_false(tls_tickets_find(tickets, key.name, BEGIN_S + 5 * TLS_TICKET_TURN_S, &found));
    tls_tickets_unref(tickets);
}

static void names_that_are_not_ours_are_not_found(void **state)
{
    (void)state;
    struct tls_tickets *tickets = tls_tickets_new();
    const unsigned char zeros[TLS_TICKET_NAME_BYTES] = {0};
    struct tls_ticket_key key;
    assert_false(tls_tickets_find(tickets, zeros, BEGIN_S, &key));
    assert_true(tls_tickets_current(tickets, BEGIN_S, &key));
    assert_false(tls_tickets_find(tickets, zeros, BEGIN_S, &key));
    tls_tickets_unref(tickets);
}

static void who_takes_over_opens_what_was_sealed_before(void **state)
{
    (void)state;
    struct tls_tickets *old = tls_tickets_new();
    struct tls_tickets *new = tls_tickets_new();
    struct tls_ticket_key sealed;
    struct tls_ticket_key key;
    struct tls_ticket_keys keys;
    assert_true(tls_tickets_current(old, BEGIN_S, &sealed));
    assert_true(tls_tickets_current(old, BEGIN_S + TLS_TICKET_TURN_S, &key));
    tls_tickets_copy(old, &keys);
    tls_tickets_set(new, &keys);
    assert_true(tls_tickets_find(new, sealed.name, BEGIN_S + TLS_TICKET_TURN_S, &key));
    assert_memory_equal(&sealed, &key, sizeof(key));
    assert_true(tls_tickets_current(new, BEGIN_S + TLS_TICKET_TURN_S, &key));
    assert_memory_equal(&keys.current.key, &key, sizeof(key));
    tls_tickets_unref(old);
    tls_tickets_unref(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_stay_the_same_for_their_turn),
        cmocka_unit_test(after_its_turn_a_key_opens_tickets_for_another_and_no_longer),
        cmocka_unit_test(a_key_that_nobody_used_for_long_is_gone_too),
        cmocka_unit_test(names_that_are_not_ours_are_not_found),
        cmocka_unit_test(who_takes_over_opens_what_was_sealed_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
