/* The client's own fields: what goes on to a backend and what stays here. */
#include "tests/unit/forwarding/forwarding_fixture.h"

static void ordinary_fields_go_on_in_order(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "accept", "text/html");
    forwarded_add(f, "x-a", "1");
    forwarded_add(f, "content-type", "text/plain");
    forwarded_add(f, "x-a", "");
    forwarded_add(f, "authorization", "Bearer abc");
    forwarded_add(f, "expect", "100-continue");
    assert_string_equal(forwarded_run(f), "accept: text/html\nx-a: 1\ncontent-type: text/plain\n"
                                          "x-a: \nauthorization: Bearer abc\n"
                                          "expect: 100-continue\n");
}

static void hop_by_hop_fields_stay_here(void **state)
{
    struct forwarded *f = *state;
    static const char *const names[] = {
        "connection", "keep-alive",     "proxy-connection", "te",   "transfer-encoding",
        "upgrade",    "http2-settings", "content-length",   "host",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        forwarded_add(f, names[i], "x");
    f->facts.trusted = true; /* that changes nothing for them */
    assert_string_equal(forwarded_run(f), "");
}

static void a_proxy_field_never_becomes_an_environment_variable(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "proxy", "http://evil.example:8080");
    f->facts.trusted = true;
    assert_string_equal(forwarded_run(f), "");
}

static void what_connection_names_stays_here(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "connection", "X-One, close ,x-TWO,");
    forwarded_add(f, "x-one", "1");
    forwarded_add(f, "x-two", "2");
    forwarded_add(f, "x-three", "3");
    assert_string_equal(forwarded_run(f), "x-three: 3\n");
}

static void several_connection_fields_are_one_list(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "connection", "close");
    forwarded_add(f, "x-one", "1");
    forwarded_add(f, "connection", "x-one");
    forwarded_add(f, "connection", "x-two");
    forwarded_add(f, "x-two", "2");
    assert_string_equal(forwarded_run(f), "");
}

static void connection_cannot_remove_what_protects_the_backend(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "connection",
                  "authorization, x-forwarded-for, x-forwarded-proto, "
                  "x-forwarded-host, x-request-id, via, forwarded, host");
    forwarded_add(f, "authorization", "Basic eA==");
    f->facts.fields = FORWARD_X_FORWARDED_FOR | FORWARD_X_FORWARDED_PROTO |
                      FORWARD_X_FORWARDED_HOST | FORWARD_VIA;
    assert_string_equal(forwarded_run(f), "authorization: Basic eA==\n"
                                          "x-forwarded-for: 192.0.2.7\n"
                                          "x-forwarded-proto: http\n"
                                          "x-forwarded-host: example.org\n"
                                          "via: 2.0 strangler\n");
}

static void what_only_we_may_say_is_dropped_from_strangers(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "x-strangler-side", "extracted");
    forwarded_add(f, "x-strangler-shadow", "1");
    forwarded_add(f, "x-strangler-", "x");
    forwarded_add(f, "x-real-ip", "10.0.0.1");
    forwarded_add(f, "x-original-path", "/admin");
    forwarded_add(f, "x-stranglers", "a name of its own");
    assert_string_equal(forwarded_run(f), "x-stranglers: a name of its own\n");
}

static void a_trusted_sender_may_say_it(void **state)
{
    struct forwarded *f = *state;
    f->facts.trusted = true;
    forwarded_add(f, "x-strangler-shadow", "1");
    forwarded_add(f, "x-real-ip", "10.0.0.1");
    forwarded_add(f, "x-original-path", "/before");
    assert_string_equal(forwarded_run(f), "x-strangler-shadow: 1\nx-real-ip: 10.0.0.1\n"
                                          "x-original-path: /before\n");
}

static void a_choice_of_side_and_its_token_end_here_whoever_sends_them(void **state)
{
    struct forwarded *f = *state;
    f->facts.trusted = true;
    forwarded_add(f, "x-strangler-side", "extracted");
    forwarded_add(f, "x-strangler-token", "secret");
    assert_string_equal(forwarded_run(f), "");
}

static void a_rewritten_path_is_said_once_whoever_said_one_before(void **state)
{
    struct forwarded *f = *state;
    f->facts.trusted = true;
    f->facts.original_path = STRVIEW("/ours");
    forwarded_add(f, "x-original-path", "/theirs");
    assert_string_equal(forwarded_run(f), "x-original-path: /ours\n");
}

static void cookie_crumbs_become_one_field(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "cookie", "a=1");
    forwarded_add(f, "accept", "*/*");
    forwarded_add(f, "cookie", "b=2; c=3");
    forwarded_add(f, "cookie", "d=4");
    assert_string_equal(forwarded_run(f), "accept: */*\ncookie: a=1; b=2; c=3; d=4\n");
}

static void our_own_cookies_end_here(void **state)
{
    struct forwarded *f = *state;
    f->facts.dropped_cookie = STRVIEW("side");
    forwarded_add(f, "cookie", "strangler_pin_users=1e00; a=1;strangler_pin_group.x=2;b=2");
    forwarded_add(f, "cookie", "side=extracted; sides=1; strangler_id=3; strangler_pin_");
    assert_string_equal(forwarded_run(f), "cookie: a=1; b=2; sides=1; strangler_id=3\n");
}

static void without_other_cookies_there_is_no_cookie_field(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "cookie", "strangler_pin_users=1e00");
    forwarded_add(f, "cookie", "strangler_pin_posts=1l00");
    assert_string_equal(forwarded_run(f), "");
}

static void a_dropped_cookie_makes_room_for_longer_separators(void **state)
{
    struct forwarded *f = *state;
    static char value[2 * 1000 + 32];
    for (size_t i = 0; i < 1000; i++)
        memcpy(value + 2 * i, "a;", 2);
    memcpy(value + 2000, "strangler_pin_=", 16);
    forwarded_add(f, "cookie", value);
    forwarding_request(&f->request, &f->facts, &f->arena, &f->headers, &f->result);
    assert_int_equal(headers_find(&f->headers, HEADER_COOKIE)->value.length, 1000 + 999 * 2);
}

static void a_single_cookie_field_is_not_copied(void **state)
{
    struct forwarded *f = *state;
    static const char value[] = "a=1; b=2";
    forwarded_add(f, "cookie", value);
    forwarded_run(f);
    assert_ptr_equal(headers_find(&f->headers, HEADER_COOKIE)->value.data, value);
}

static void a_thousand_crumbs_cost_no_more_than_their_bytes(void **state)
{
    struct forwarded *f = *state;
    for (int i = 0; i < 1000; i++)
        forwarded_add(f, "cookie", "n=0123456789");
    size_t before = f->arena.bytes;
    forwarding_request(&f->request, &f->facts, &f->arena, &f->headers, &f->result);
    assert_int_equal(headers_find(&f->headers, HEADER_COOKIE)->value.length, 1000 * 14 - 2);
    assert_true(f->arena.bytes - before < 64 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDED_TEST(ordinary_fields_go_on_in_order),
        FORWARDED_TEST(hop_by_hop_fields_stay_here),
        FORWARDED_TEST(a_proxy_field_never_becomes_an_environment_variable),
        FORWARDED_TEST(what_connection_names_stays_here),
        FORWARDED_TEST(several_connection_fields_are_one_list),
        FORWARDED_TEST(connection_cannot_remove_what_protects_the_backend),
        FORWARDED_TEST(what_only_we_may_say_is_dropped_from_strangers),
        FORWARDED_TEST(a_trusted_sender_may_say_it),
        FORWARDED_TEST(a_choice_of_side_and_its_token_end_here_whoever_sends_them),
        FORWARDED_TEST(a_rewritten_path_is_said_once_whoever_said_one_before),
        FORWARDED_TEST(cookie_crumbs_become_one_field),
        FORWARDED_TEST(a_thousand_crumbs_cost_no_more_than_their_bytes),
        FORWARDED_TEST(our_own_cookies_end_here),
        FORWARDED_TEST(without_other_cookies_there_is_no_cookie_field),
        FORWARDED_TEST(a_dropped_cookie_makes_room_for_longer_separators),
        FORWARDED_TEST(a_single_cookie_field_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
