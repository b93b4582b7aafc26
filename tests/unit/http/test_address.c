#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "proxy/net/address.h"

static void addresses_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:80", "[::1]:443", "[2001:db8::1]:0",
                                        "0.0.0.0:65535", "unix:/run/strangler/admin.sock"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address;
        char text[ADDRESS_TEXT_BYTES];
        assert_true(address_parse(strview_of(texts[i]), &address));
        assert_string_equal(address_format(&address, text), texts[i]);
    }
}

static void localhost_is_the_loopback_address(void **state)
{
    (void)state;
    struct address address;
    char text[ADDRESS_TEXT_BYTES];
    assert_true(address_parse(STRVIEW("localhost:3000"), &address));
    assert_string_equal(address_format(&address, text), "127.0.0.1:3000");
    assert_int_equal(address_port(&address), 3000);
}

static void malformed_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "80",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "::1:80",
        "[::1]",
        "[::1:80",
        "[]:80",
        "1.2.3:80",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "example.org:80",
        "unix:",
        "01.2.3.4:5",
        "[1.2.3.4]:80",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address;
        if (address_parse(strview_of(texts[i]), &address))
            fail_msg("'%s' was taken", texts[i]);
    }
    char path[sizeof("unix:") + 200] = "unix:/";
    memset(path + 6, 'a', 150);
    struct address address;
    assert_false(address_parse(strview_of(path), &address));
}

static void an_ip_is_the_same_by_either_family(void **state)
{
    (void)state;
    struct ip_address v4;
    struct ip_address mapped;
    char text[ADDRESS_TEXT_BYTES];
    assert_true(ip_parse(STRVIEW("192.0.2.1"), &v4));
    assert_true(ip_parse(STRVIEW("::ffff:192.0.2.1"), &mapped));
    assert_memory_equal(&v4, &mapped, sizeof(v4));
    assert_true(ip_is_v4(&mapped));
    assert_int_equal(ip_format(&mapped, text), strlen("192.0.2.1"));
    assert_string_equal(text, "192.0.2.1");
    assert_true(ip_parse(STRVIEW("2001:db8:0::1"), &v4));
    assert_false(ip_is_v4(&v4));
    ip_format(&v4, text);
    assert_string_equal(text, "2001:db8::1");
    assert_false(ip_parse(STRVIEW("192.0.2.1 "), &v4));
    assert_false(ip_parse(STRVIEW(""), &v4));
}

static uint64_t network_of(const char *text)
{
    struct ip_address ip;
    assert_true(ip_parse(strview_of(text), &ip));
    return ip_network(&ip);
}

static void hosts_of_one_ipv6_network_are_one_client_and_those_of_ipv4_are_not(void **state)
{
    (void)state;
    assert_true(network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_true(network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1"));
    assert_true(network_of("192.0.2.1") == network_of("::ffff:192.0.2.1"));
    assert_true(network_of("192.0.2.1") != network_of("192.0.2.2"));
    assert_true(network_of("192.0.2.1") != network_of("::1"));
}

static void the_ip_and_port_of_a_socket_address_are_found(void **state)
{
    (void)state;
    static const struct ip_address none = {{0}};
    struct address address;
    struct ip_address expected;
    address_parse(STRVIEW("192.0.2.7:81"), &address);
    ip_parse(STRVIEW("192.0.2.7"), &expected);
    struct ip_address ip = address_ip(&address);
    assert_memory_equal(&ip, &expected, sizeof(ip));
    address_parse(STRVIEW("[2001:db8::7]:82"), &address);
    ip_parse(STRVIEW("2001:db8::7"), &expected);
    ip = address_ip(&address);
    assert_memory_equal(&ip, &expected, sizeof(ip));
    assert_int_equal(address_port(&address), 82);
    address_parse(STRVIEW("unix:/a"), &address);
    ip = address_ip(&address);
    assert_memory_equal(&ip, &none, sizeof(ip));
    assert_int_equal(address_port(&address), 0);
}

static bool block_has(const char *block, const char *ip_text)
{
    struct cidr cidr;
    struct ip_address ip;
    assert_true(cidr_parse(strview_of(block), &cidr));
    assert_true(ip_parse(strview_of(ip_text), &ip));
    return cidr_list_contains(&cidr, 1, &ip);
}

static void a_block_contains_exactly_its_addresses(void **state)
{
    (void)state;
    assert_true(block_has("10.0.0.0/8", "10.255.0.1"));
    assert_false(block_has("10.0.0.0/8", "11.0.0.0"));
    assert_true(block_has("192.0.2.128/25", "192.0.2.255"));
    assert_false(block_has("192.0.2.128/25", "192.0.2.127"));
    assert_true(block_has("192.0.2.1", "192.0.2.1"));
    assert_false(block_has("192.0.2.1", "192.0.2.0"));
    assert_true(block_has("0.0.0.0/0", "1.2.3.4"));
    assert_false(block_has("0.0.0.0/0", "2001:db8::1"));
    assert_true(block_has("2001:db8::/32", "2001:db8:ffff::1"));
    assert_false(block_has("2001:db8::/32", "2001:db9::"));
    assert_true(block_has("::/0", "1.2.3.4"));
    assert_true(block_has("::ffff:10.0.0.0/104", "10.1.2.3"));
}

static void malformed_blocks_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "10.0.0.1/8",    "10.0.0.0/33",
                                        "10.0.0.0/", "10.0.0.0/x",    "/8",
                                        "::/129",    "2001:db8::1/32"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cidr cidr;
        if (cidr_parse(strview_of(texts[i]), &cidr))
            fail_msg("'%s' was taken", texts[i]);
    }
}

static void each_byte_of_an_address_is_written_as_inet_ntop_does(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        char expected[ADDRESS_TEXT_BYTES];
        char text[ADDRESS_TEXT_BYTES];
        uint8_t bytes[4] = {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i * 7), (uint8_t)(i / 2)};
        struct ip_address ip;
        assert_non_null(inet_ntop(AF_INET, bytes, expected, sizeof(expected)));
        assert_true(ip_parse(strview_of(expected), &ip));
        assert_int_equal(ip_format(&ip, text), strlen(expected));
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_of_an_address_is_written_as_inet_ntop_does),
        cmocka_unit_test(addresses_are_written_as_they_are_read),
        cmocka_unit_test(localhost_is_the_loopback_address),
        cmocka_unit_test(malformed_addresses_are_refused),
        cmocka_unit_test(an_ip_is_the_same_by_either_family),
        cmocka_unit_test(hosts_of_one_ipv6_network_are_one_client_and_those_of_ipv4_are_not),
        cmocka_unit_test(the_ip_and_port_of_a_socket_address_are_found),
        cmocka_unit_test(a_block_contains_exactly_its_addresses),
        cmocka_unit_test(malformed_blocks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
