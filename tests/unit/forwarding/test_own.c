/* The fields that we say ourselves: x-forwarded-*, forwarded, via. */
#include "tests/unit/forwarding/forwarding_fixture.h"

static void field_names_of_the_configuration_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via",
        "x-request-id",    "traceparent",
    };
    uint32_t all = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint32_t field = forward_field_parse(strview_of(names[i]));
        assert_true(field != 0 && (field & (field - 1)) == 0);
        assert_int_equal(all & field, 0);
        all |= field;
    }
    assert_int_equal(all, FORWARD_ALL);
    assert_int_equal(forward_field_parse(STRVIEW("")), 0);
    assert_int_equal(forward_field_parse(STRVIEW("X-Forwarded-FOR")), FORWARD_X_FORWARDED_FOR);
    assert_int_equal(forward_field_parse(STRVIEW("x-forwarded")), 0);
}

static void fields_that_are_not_forwarded_are_not_said(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "x-forwarded-for", "10.0.0.1");
    forwarded_add(f, "x-forwarded-proto", "https");
    forwarded_add(f, "x-forwarded-host", "evil.example");
    forwarded_add(f, "forwarded", "for=10.0.0.1");
    forwarded_add(f, "x-request-id", "abc");
    assert_string_equal(forwarded_run(f), "");
}

static void a_stranger_cannot_spoof_where_it_comes_from(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_X_FORWARDED_FOR | FORWARD_X_FORWARDED_PROTO |
                      FORWARD_X_FORWARDED_HOST | FORWARD_FORWARDED;
    forwarded_add(f, "x-forwarded-for", "10.0.0.1");
    forwarded_add(f, "x-forwarded-proto", "https");
    forwarded_add(f, "x-forwarded-host", "evil.example");
    forwarded_add(f, "forwarded", "for=10.0.0.1");
    assert_string_equal(forwarded_run(f),
                        "x-forwarded-for: 192.0.2.7\nx-forwarded-proto: http\n"
                        "x-forwarded-host: example.org\n"
                        "forwarded: for=192.0.2.7;proto=http;host=\"example.org\"\n");
}

static void what_a_trusted_proxy_said_is_appended_to(void **state)
{
    struct forwarded *f = *state;
    f->facts.trusted = true;
    f->facts.fields = FORWARD_X_FORWARDED_FOR | FORWARD_FORWARDED;
    forwarded_add(f, "x-forwarded-for", "203.0.113.9");
    forwarded_add(f, "x-forwarded-for", "10.0.0.1, 10.0.0.2");
    forwarded_add(f, "forwarded", "for=203.0.113.9");
    assert_string_equal(
        forwarded_run(f),
        "x-forwarded-for: 203.0.113.9, 10.0.0.1, 10.0.0.2, 192.0.2.7\n"
        "forwarded: for=203.0.113.9, for=192.0.2.7;proto=http;host=\"example.org\"\n");
}

static void what_a_trusted_proxy_said_about_scheme_and_host_is_kept(void **state)
{
    struct forwarded *f = *state;
    f->facts.trusted = true;
    f->facts.fields = FORWARD_X_FORWARDED_PROTO | FORWARD_X_FORWARDED_HOST;
    forwarded_add(f, "x-forwarded-proto", "https");
    assert_string_equal(forwarded_run(f),
                        "x-forwarded-proto: https\nx-forwarded-host: example.org\n");
}

static void an_ipv6_address_is_quoted_in_forwarded(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_X_FORWARDED_FOR | FORWARD_FORWARDED;
    f->facts.connection_address = STRVIEW("2001:db8::1");
    f->request.authority = STRVIEW("[2001:db8::2]:8443");
    f->request.scheme = STRVIEW("https");
    assert_string_equal(
        forwarded_run(f),
        "x-forwarded-for: 2001:db8::1\n"
        "forwarded: for=\"[2001:db8::1]\";proto=https;host=\"[2001:db8::2]:8443\"\n");
}

static void via_names_the_protocol_that_the_request_came_by(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_VIA;
    assert_string_equal(forwarded_run(f), "via: 2.0 strangler\n");
    f->facts.version = STRVIEW("1.1");
    assert_string_equal(forwarded_run(f), "via: 1.1 strangler\n");
}

static void via_is_appended_to_whoever_said_it(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_VIA;
    forwarded_add(f, "via", "1.1 first");
    forwarded_add(f, "via", "1.0 second, 2.0 third");
    assert_string_equal(forwarded_run(f), "via: 1.1 first, 1.0 second, 2.0 third, 2.0 strangler\n");
}

static void all_fields_of_ours_are_said_once(void **state)
{
    struct forwarded *f = *state;
    f->facts.fields = FORWARD_ALL;
    f->facts.trusted = true;
    for (int i = 0; i < 2; i++) {
        forwarded_add(f, "x-forwarded-for", "10.0.0.1");
        forwarded_add(f, "x-forwarded-proto", "https");
        forwarded_add(f, "x-forwarded-host", "a.example");
        forwarded_add(f, "forwarded", "for=10.0.0.1");
        forwarded_add(f, "via", "1.1 a");
        forwarded_add(f, "x-request-id", "abc");
        forwarded_add(f, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    }
    forwarded_run(f);
    assert_int_equal(f->headers.count, 7);
    for (uint32_t i = 0; i < f->headers.count; i++)
        assert_ptr_equal(headers_find_name(&f->headers, f->headers.fields[i].name),
                         &f->headers.fields[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_names_of_the_configuration_are_known),
        FORWARDED_TEST(fields_that_are_not_forwarded_are_not_said),
        FORWARDED_TEST(a_stranger_cannot_spoof_where_it_comes_from),
        FORWARDED_TEST(what_a_trusted_proxy_said_is_appended_to),
        FORWARDED_TEST(what_a_trusted_proxy_said_about_scheme_and_host_is_kept),
        FORWARDED_TEST(an_ipv6_address_is_quoted_in_forwarded),
        FORWARDED_TEST(via_names_the_protocol_that_the_request_came_by),
        FORWARDED_TEST(via_is_appended_to_whoever_said_it),
        FORWARDED_TEST(all_fields_of_ours_are_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
