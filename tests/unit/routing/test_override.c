/* Who may choose a side, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/override.h"
#include "tests/unit/routing/routing_fixture.h"

static struct cidr office;

/* The office may, and whoever knows the token. */
static struct override_rules rules_of(void)
{
    assert_true(cidr_parse(STRVIEW("192.0.2.0/24"), &office));
    return (struct override_rules){
        .clients = &office,
        .client_count = 1,
        .token = STRVIEW("0123456789abcdef"),
        .cookie = STRVIEW("side"),
    };
}

struct asked {
    enum override_verdict verdict;
    enum side side;
};

static struct asked ask(struct fixture *fixture, const struct override_rules *rules,
                        const struct request_head *request, const char *from)
{
    (void)fixture;
    struct asked asked = {.side = SIDE_NONE};
    struct ip_address client = fixture_ip(from);
    asked.verdict = override_of_request(rules, &request->headers, &client, &asked.side);
    return asked;
}

static struct request_head request_with(struct fixture *fixture, const char *name,
                                        const char *value)
{
    struct request_head request = fixture_request(fixture, "GET", "a.org", "/");
    fixture_header(fixture, &request, name, value);
    return request;
}

static void a_field_or_a_cookie_names_the_side(void **state)
{
    struct fixture *fixture = *state;
    struct override_rules rules = rules_of();
    static const struct {
        const char *name;
        const char *value;
        enum override_verdict verdict;
        enum side side;
    } rows[] = {
        {"x-strangler-side", "legacy", OVERRIDE_GOOD, SIDE_LEGACY},
        {"x-strangler-side", "extracted", OVERRIDE_GOOD, SIDE_EXTRACTED},
        {"x-strangler-side", "Legacy", OVERRIDE_UNKNOWN, SIDE_NONE},
        {"x-strangler-side", "", OVERRIDE_UNKNOWN, SIDE_NONE},
        {"x-strangler-side", "none", OVERRIDE_UNKNOWN, SIDE_NONE},
        {"cookie", "a=b; side=extracted", OVERRIDE_GOOD, SIDE_EXTRACTED},
        {"cookie", "side=new", OVERRIDE_UNKNOWN, SIDE_NONE},
        {"cookie", "sides=legacy", OVERRIDE_ABSENT, SIDE_NONE},
        {"x-strangler-sides", "legacy", OVERRIDE_ABSENT, SIDE_NONE},
        {"accept", "legacy", OVERRIDE_ABSENT, SIDE_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request_head request = request_with(fixture, rows[i].name, rows[i].value);
        struct asked asked = ask(fixture, &rules, &request, "192.0.2.1");
        assert_int_equal(asked.verdict, rows[i].verdict);
        assert_int_equal(asked.side, rows[i].side);
    }
}

static void the_field_counts_before_the_cookie(void **state)
{
    struct fixture *fixture = *state;
    struct override_rules rules = rules_of();
    struct request_head request = request_with(fixture, "cookie", "side=extracted");
    fixture_header(fixture, &request, "x-strangler-side", "legacy");
    assert_int_equal(ask(fixture, &rules, &request, "192.0.2.1").side, SIDE_LEGACY);
}

static void strangers_need_the_token(void **state)
{
    struct fixture *fixture = *state;
    struct override_rules rules = rules_of();
    static const struct {
        const char *token;
        enum override_verdict verdict;
    } rows[] = {
        {"0123456789abcdef", OVERRIDE_GOOD},
        {"0123456789abcdeF", OVERRIDE_NOT_ALLOWED},
        {"0123456789abcde", OVERRIDE_NOT_ALLOWED},
        {"0123456789abcdef0", OVERRIDE_NOT_ALLOWED},
        {"", OVERRIDE_NOT_ALLOWED},
    };
    struct request_head bare = request_with(fixture, "x-strangler-side", "legacy");
    assert_int_equal(ask(fixture, &rules, &bare, "198.51.100.1").verdict, OVERRIDE_NOT_ALLOWED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request_head request = request_with(fixture, "x-strangler-side", "legacy");
        fixture_header(fixture, &request, "x-strangler-token", rows[i].token);
        assert_int_equal(ask(fixture, &rules, &request, "198.51.100.1").verdict, rows[i].verdict);
    }
}

static void without_a_token_an_empty_one_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct override_rules rules = {.cookie = STRVIEW_NONE};
    struct request_head request = request_with(fixture, "x-strangler-side", "legacy");
    fixture_header(fixture, &request, "x-strangler-token", "");
    assert_int_equal(ask(fixture, &rules, &request, "192.0.2.1").verdict, OVERRIDE_NOT_ALLOWED);
}

static void no_cookie_counts_unless_one_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct override_rules rules = rules_of();
    rules.cookie = STRVIEW_NONE;
    struct request_head request = request_with(fixture, "cookie", "side=legacy; =legacy");
    assert_int_equal(ask(fixture, &rules, &request, "192.0.2.1").verdict, OVERRIDE_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_field_or_a_cookie_names_the_side),
        FIXTURE_TEST(the_field_counts_before_the_cookie),
        FIXTURE_TEST(strangers_need_the_token),
        FIXTURE_TEST(without_a_token_an_empty_one_opens_nothing),
        FIXTURE_TEST(no_cookie_counts_unless_one_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
