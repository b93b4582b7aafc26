#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/identity.h"
#include "tests/unit/routing/routing_fixture.h"

static const uint8_t random_bytes[IDENTITY_RANDOM_BYTES] = {0, 1, 2,  0xab, 0xcd, 5,  6,  7,
                                                            8, 9, 10, 11,   12,   13, 14, 0xff};
static const char given[] = "0123456789abcdef0123456789abcdef";

static struct identity identify(struct fixture *fixture, const char *source_text,
                                const struct request_head *request, const char *client)
{
    struct identity_source sources[2];
    struct identity_facts facts = {.client = fixture_ip(client), .random = random_bytes};
    assert_true(identity_source_parse(strview_of(source_text), &sources[0]));
    sources[1] = (struct identity_source){.kind = IDENTITY_ADDRESS};
    return identity_of(sources, 2, request, &facts, &fixture->arena);
}

static void assert_identity(struct identity identity, enum identity_kind kind, const char *value)
{
    assert_int_equal(identity.kind, kind);
    assert_true(strview_equal(identity.value, strview_of(value)));
}

static void sources_are_parsed(void **state)
{
    (void)state;
    struct identity_source source;
    assert_true(identity_source_parse(STRVIEW("cookie:sid"), &source));
    assert_int_equal(source.kind, IDENTITY_COOKIE);
    assert_true(strview_equal(source.name, STRVIEW("sid")));
    assert_true(identity_source_parse(STRVIEW("header:x-user"), &source));
    assert_int_equal(source.kind, IDENTITY_HEADER);
    assert_true(identity_source_parse(STRVIEW("assign"), &source));
    assert_true(identity_source_parse(STRVIEW("address"), &source));
    assert_true(identity_source_parse(STRVIEW("none"), &source));
    assert_false(identity_source_parse(STRVIEW("cookie:"), &source));
    assert_false(identity_source_parse(STRVIEW("cookie:a b"), &source));
    assert_false(identity_source_parse(STRVIEW("Address"), &source));
    assert_false(identity_source_parse(STRVIEW(""), &source));
}

static void a_page_load_gets_a_new_identity_and_uses_it_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    fixture_header(fixture, &request, "accept", "application/xml, TEXT/HTML;q=0.9, */*");
    struct identity identity = identify(fixture, "assign", &request, "192.0.2.1");
    assert_identity(identity, IDENTITY_ASSIGN, "000102abcd05060708090a0b0c0d0eff");
    assert_true(identity.assigned);
}

static void only_page_loads_are_assigned_an_identity(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    fixture_header(fixture, &request, "accept", "*/*, application/json");
    assert_identity(identify(fixture, "assign", &request, "192.0.2.1"), IDENTITY_ADDRESS,
                    "192.0.2.1");
    request = fixture_request(fixture, "POST", "a", "/");
    fixture_header(fixture, &request, "accept", "text/html");
    assert_identity(identify(fixture, "assign", &request, "192.0.2.1"), IDENTITY_ADDRESS,
                    "192.0.2.1");
}

static void a_given_cookie_is_the_identity_of_every_request(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "POST", "a", "/");
    char cookie[64] = "x=1; strangler_id=";
    memcpy(cookie + strlen(cookie), given, sizeof(given));
    fixture_header(fixture, &request, "cookie", cookie);
    struct identity identity = identify(fixture, "assign", &request, "192.0.2.1");
    assert_identity(identity, IDENTITY_ASSIGN, given);
    assert_false(identity.assigned);
}

static void a_cookie_not_of_our_making_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    static const char *const cookies[] = {"strangler_id=", "strangler_id=1",
                                          "strangler_id=0123456789ABCDEF0123456789ABCDEF",
                                          "strangler_id=0123456789abcdef0123456789abcdef0"};
    for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
        struct request_head request = fixture_request(fixture, "POST", "a", "/");
        fixture_header(fixture, &request, "cookie", cookies[i]);
        assert_int_equal(identify(fixture, "assign", &request, "192.0.2.1").kind, IDENTITY_ADDRESS);
    }
}

static void an_ipv6_client_is_its_network(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    assert_identity(identify(fixture, "address", &request, "2001:db8:1:2:3:4:5:6"),
                    IDENTITY_ADDRESS, "20010db800010002");
    assert_identity(identify(fixture, "address", &request, "2001:db8:1:2::9"), IDENTITY_ADDRESS,
                    "20010db800010002");
    assert_identity(identify(fixture, "address", &request, "::ffff:192.0.2.9"), IDENTITY_ADDRESS,
                    "192.0.2.9");
}

static void empty_values_and_unknown_addresses_do_not_apply(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    assert_int_equal(identify(fixture, "cookie:sid", &request, "::").kind, IDENTITY_NONE);
    fixture_header(fixture, &request, "cookie", "sid=");
    fixture_header(fixture, &request, "x-user", "");
    assert_int_equal(identify(fixture, "cookie:sid", &request, "192.0.2.1").kind, IDENTITY_ADDRESS);
    assert_int_equal(identify(fixture, "header:x-user", &request, "192.0.2.1").kind,
                     IDENTITY_ADDRESS);
}

static void cookies_and_headers_can_identify(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    fixture_header(fixture, &request, "cookie", "sid=abc");
    fixture_header(fixture, &request, "x-user", "7");
    assert_identity(identify(fixture, "cookie:sid", &request, "::"), IDENTITY_COOKIE, "abc");
    assert_identity(identify(fixture, "header:x-user", &request, "::"), IDENTITY_HEADER, "7");
}

static void none_ends_the_list(void **state)
{
    struct fixture *fixture = *state;
    struct request_head request = fixture_request(fixture, "GET", "a", "/");
    struct identity identity = identify(fixture, "none", &request, "192.0.2.1");
    assert_identity(identity, IDENTITY_NONE, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_parsed),
        FIXTURE_TEST(a_page_load_gets_a_new_identity_and_uses_it_at_once),
        FIXTURE_TEST(only_page_loads_are_assigned_an_identity),
        FIXTURE_TEST(a_given_cookie_is_the_identity_of_every_request),
        FIXTURE_TEST(a_cookie_not_of_our_making_does_not_count),
        FIXTURE_TEST(an_ipv6_client_is_its_network),
        FIXTURE_TEST(empty_values_and_unknown_addresses_do_not_apply),
        FIXTURE_TEST(cookies_and_headers_can_identify),
        FIXTURE_TEST(none_ends_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
