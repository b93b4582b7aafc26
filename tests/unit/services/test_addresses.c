#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "extracted/service_kit/duration.h"
#include "extracted/service_kit/listen_address.h"
#include "monolith_stub/listen_socket.h"

static const char *const malformed[] = {
    "",
    "3000",
    ":3000",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:-1",
    "127.0.0.1:1x",
    "127.0.0.1:999999",
    "::1:80",
    "[]:80",
    "127.0.0.1:65536",
    "127.0.0.1:99999",
    "[::1]:70000",
};

static void malformed_addresses_are_told_from_refused_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        char text[LISTEN_ADDRESS_TEXT];
        int socket = -1;
        assert_int_equal(listen_socket_open(malformed[i], &socket, text), LISTEN_BAD_ADDRESS);
        assert_int_equal(listen_address_bind(malformed[i], &socket), LISTEN_ADDRESS_MALFORMED);
        assert_int_equal(socket, -1);
    }
}

static void port_0_becomes_a_real_port(void **state)
{
    (void)state;
    char text[LISTEN_ADDRESS_TEXT];
    int socket = -1;
    assert_int_equal(listen_socket_open("127.0.0.1:0", &socket, text), LISTEN_OK);
    assert_true(strncmp(text, "127.0.0.1:", 10) == 0 && strcmp(text, "127.0.0.1:0") != 0);
    close(socket);
    assert_int_equal(listen_address_bind("127.0.0.1:0", &socket), LISTEN_ADDRESS_FINE);
    assert_int_equal(listen_address_open(socket, text), LISTEN_ADDRESS_FINE);
    assert_true(strncmp(text, "127.0.0.1:", 10) == 0 && strcmp(text, "127.0.0.1:0") != 0);
    close(socket);
}

static void durations_have_a_unit_and_an_end(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "30", "s", "-1s", "1.5s", "30 s", "1d", "25h", "99999999999999999999s", "1ss"};
    int64_t ms = -1;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(duration_parse(wrong[i], &ms));
    assert_int_equal(ms, -1);
    assert_true(duration_parse("250ms", &ms));
    assert_int_equal(ms, 250);
    assert_true(duration_parse("2m", &ms));
    assert_int_equal(ms, 120000);
    assert_true(duration_parse("24h", &ms));
    assert_int_equal(ms, 86400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_addresses_are_told_from_refused_ones),
        cmocka_unit_test(port_0_becomes_a_real_port),
        cmocka_unit_test(durations_have_a_unit_and_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
