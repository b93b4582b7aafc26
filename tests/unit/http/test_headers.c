#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/headers.h"

static const struct {
    const char *name;
    enum header_token token;
} known[] = {
    {"accept", HEADER_ACCEPT},
    {":authority", HEADER_AUTHORITY},
    {"cache-control", HEADER_CACHE_CONTROL},
    {"connection", HEADER_CONNECTION},
    {"content-length", HEADER_CONTENT_LENGTH},
    {"content-type", HEADER_CONTENT_TYPE},
    {"cookie", HEADER_COOKIE},
    {"date", HEADER_DATE},
    {"expect", HEADER_EXPECT},
    {"forwarded", HEADER_FORWARDED},
    {"host", HEADER_HOST},
    {"http2-settings", HEADER_HTTP2_SETTINGS},
    {"keep-alive", HEADER_KEEP_ALIVE},
    {"max-forwards", HEADER_MAX_FORWARDS},
    {":method", HEADER_METHOD},
    {":path", HEADER_PATH},
    {":protocol", HEADER_PROTOCOL},
    {"proxy", HEADER_PROXY},
    {"proxy-connection", HEADER_PROXY_CONNECTION},
    {":scheme", HEADER_SCHEME},
    {"set-cookie", HEADER_SET_COOKIE},
    {":status", HEADER_STATUS},
    {"te", HEADER_TE},
    {"traceparent", HEADER_TRACEPARENT},
    {"trailer", HEADER_TRAILER},
    {"transfer-encoding", HEADER_TRANSFER_ENCODING},
    {"upgrade", HEADER_UPGRADE},
    {"tracestate", HEADER_TRACESTATE},
    {"via", HEADER_VIA},
    {"x-forwarded-for", HEADER_X_FORWARDED_FOR},
    {"x-forwarded-host", HEADER_X_FORWARDED_HOST},
    {"x-forwarded-port", HEADER_X_FORWARDED_OTHER},
    {"x-forwarded-proto", HEADER_X_FORWARDED_PROTO},
    {"x-original-path", HEADER_X_ORIGINAL_PATH},
    {"x-real-ip", HEADER_X_REAL_IP},
    {"x-request-id", HEADER_X_REQUEST_ID},
    {"x-strangler-side", HEADER_X_STRANGLER},
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static void every_known_name_has_its_token(void **state)
{
    (void)state;
    assert_int_equal(KNOWN_COUNT, HEADER_TOKEN_COUNT - 1);
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        assert_int_equal(header_token_of(strview_of(known[i].name)), known[i].token);
}

/* Two families are known by how their names begin. */
static enum header_token family_of(const char *name)
{
    if (strncmp(name, "x-strangler-", strlen("x-strangler-")) == 0)
        return HEADER_X_STRANGLER;
    if (strncmp(name, "x-forwarded-", strlen("x-forwarded-")) == 0)
        return HEADER_X_FORWARDED_OTHER;
    return HEADER_OTHER;
}

static void a_name_that_differs_in_one_byte_has_no_token(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        char name[32] = "";
        size_t length = strlen(known[i].name);
        memcpy(name, known[i].name, length);
        for (size_t j = 0; j < length; j++) {
            name[j] ^= 1;
            enum header_token token = header_token_of(strview_make(name, length));
            assert_int_equal(token, family_of(name));
            name[j] ^= 1;
        }
    }
    assert_int_equal(header_token_of(STRVIEW("")), HEADER_OTHER);
    assert_int_equal(header_token_of(STRVIEW("a-name-that-is-longer-than-any")), HEADER_OTHER);
    assert_int_equal(header_token_of(STRVIEW("x-strangle")), HEADER_OTHER);
}

static void fields_are_kept_in_order_and_counted(void **state)
{
    (void)state;
    struct arena arena;
    struct headers headers;
    arena_init(&arena, NULL);
    headers_init(&headers);
    assert_null(headers_find(&headers, HEADER_VIA));
    for (int i = 0; i < 100; i++) {
        struct strview value = arena_printf(&arena, "%d", i);
        headers_add(&headers, &arena, HEADER_VIA, STRVIEW("via"), value);
    }
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("x-a"), STRVIEW("1"));
    assert_int_equal(headers.count, 101);
    assert_int_equal(headers.bytes, 100 * (3 + 32) + 10 + 90 * 2 + 3 + 1 + 32);
    assert_true(strview_equal(headers_find(&headers, HEADER_VIA)->value, STRVIEW("0")));
    assert_true(strview_equal(headers.fields[99].value, STRVIEW("99")));
    assert_ptr_equal(headers_find_name(&headers, STRVIEW("x-a")), &headers.fields[100]);
    assert_null(headers_find_name(&headers, STRVIEW("x-b")));
    arena_done(&arena);
}

static void the_first_cookie_of_a_name_is_found_in_any_field(void **state)
{
    (void)state;
    struct arena arena;
    struct headers headers;
    struct strview value = STRVIEW("untouched");
    arena_init(&arena, NULL);
    headers_init(&headers);
    headers_add(&headers, &arena, HEADER_COOKIE, STRVIEW("cookie"),
                STRVIEW("a=1; bb=\"2\";c ; =x"));
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("x-cookie"), STRVIEW("d=no"));
    headers_add(&headers, &arena, HEADER_COOKIE, STRVIEW("cookie"), STRVIEW("a=3; d=4=5; e="));
    assert_true(headers_find_cookie(&headers, STRVIEW("a"), &value));
    assert_true(strview_equal(value, STRVIEW("1")));
    assert_true(headers_find_cookie(&headers, STRVIEW("bb"), &value));
    assert_true(strview_equal(value, STRVIEW("\"2\"")));
    assert_true(headers_find_cookie(&headers, STRVIEW("d"), &value));
    assert_true(strview_equal(value, STRVIEW("4=5")));
    assert_true(headers_find_cookie(&headers, STRVIEW("e"), &value));
    assert_int_equal(value.length, 0);
    assert_false(headers_find_cookie(&headers, STRVIEW("b"), &value));
    assert_false(headers_find_cookie(&headers, STRVIEW("c"), &value));
    assert_false(headers_find_cookie(&headers, STRVIEW("A"), &value));
    arena_done(&arena);
}

static void names_are_tokens_and_values_have_no_controls(void **state)
{
    (void)state;
    assert_true(header_name_is_token(STRVIEW("!#$%&'*+-.^_`|~09azAZ")));
    assert_false(header_name_is_token(STRVIEW("")));
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool token = alphanumeric || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        assert_int_equal(header_name_is_token(strview_make(&byte, 1)), token);
        char value[3] = {'a', byte, 'b'};
        assert_int_equal(header_value_is_valid(strview_make(value, 3)),
                         (c >= 0x20 || c == '\t') && c != 0x7f);
    }
    assert_true(header_value_is_valid(STRVIEW("")));
    assert_false(header_value_is_valid(STRVIEW(" a")));
    assert_false(header_value_is_valid(STRVIEW("a\t")));
}

/* Values are looked at by words, so every place in them matters, and what stands beside it. */
static void a_control_character_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const unsigned char fillers[] = {'a', ' ', 0x7e, 0x80, 0xa0, 0xff, '\t'};
    char value[20];
    for (size_t f = 0; f < sizeof(fillers); f++) {
        for (size_t at = 1; at < sizeof(value) - 1; at++) {
            for (int c = 0; c < 256; c++) {
                memset(value, fillers[f], sizeof(value));
                value[0] = value[sizeof(value) - 1] = '"';
                value[at] = (char)c;
                assert_int_equal(header_value_is_valid(strview_make(value, sizeof(value))),
                                 (c >= 0x20 || c == '\t') && c != 0x7f);
            }
        }
    }
}

static void names_without_a_token_and_pseudo_fields_are_looked_at(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        struct header_field field = {
            .name = strview_of(known[i].name), .value = STRVIEW("1"), .token = known[i].token};
        assert_int_equal(header_field_is_valid(&field), known[i].name[0] != ':');
    }
    struct header_field bad_names[] = {
        {STRVIEW("a b"), STRVIEW("1"), HEADER_OTHER, false},
        {STRVIEW("x-forwarded-\n"), STRVIEW("1"), HEADER_X_FORWARDED_OTHER, false},
        {STRVIEW("x-strangler-:"), STRVIEW("1"), HEADER_X_STRANGLER, false},
        {STRVIEW("date"), STRVIEW("\n"), HEADER_DATE, false},
    };
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
        bad_names[i].token = header_token_of(bad_names[i].name);
        assert_false(header_field_is_valid(&bad_names[i]));
    }
}

static void a_copy_has_bytes_and_room_of_its_own(void **state)
{
    (void)state;
    struct arena arena;
    struct headers headers;
    struct headers copy;
    char value[] = "one";
    arena_init(&arena, NULL);
    headers_init(&headers);
    headers_copy(&headers, 0, &arena, &copy);
    assert_int_equal(copy.count, 0);
    headers_add(&headers, &arena, HEADER_DATE, STRVIEW("date"), strview_of(value));
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("empty"), STRVIEW_NONE);
    headers_copy(&headers, 1, &arena, &copy);
    value[0] = 'x';
    assert_int_equal(copy.count, 2);
    assert_int_equal(copy.bytes, headers.bytes);
    assert_true(strview_equal(headers_find(&copy, HEADER_DATE)->value, STRVIEW("one")));
    assert_int_equal(headers_find_name(&copy, STRVIEW("empty"))->value.length, 0);
    for (int i = 0; i < 20; i++)
        headers_add(&copy, &arena, HEADER_OTHER, STRVIEW("more"), STRVIEW("1"));
    assert_int_equal(copy.count, 22);
    assert_int_equal(headers.count, 2);
    assert_true(strview_equal(headers_find(&copy, HEADER_DATE)->value, STRVIEW("one")));
    arena_done(&arena);
}

static void a_static_name_is_not_copied(void **state)
{
    (void)state;
    struct arena arena;
    struct headers headers;
    struct headers copy;
    struct headers copy_of_copy;
    const struct header_field field = {STRVIEW("date"), STRVIEW("now"), HEADER_DATE, true};
    arena_init(&arena, NULL);
    headers_init(&headers);
    headers_add_field(&headers, &arena, &field);
    headers_add(&headers, &arena, HEADER_OTHER, STRVIEW("x-a"), STRVIEW("b"));
    headers_copy(&headers, 0, &arena, &copy);
    headers_copy(&copy, 0, &arena, &copy_of_copy);
    assert_int_equal(copy_of_copy.bytes, 7 + 4 + 2 * HEADER_FIELD_OVERHEAD_BYTES);
    assert_ptr_equal(copy_of_copy.fields[0].name.data, field.name.data);
    assert_ptr_not_equal(copy_of_copy.fields[0].value.data, copy.fields[0].value.data);
    assert_ptr_not_equal(copy_of_copy.fields[1].name.data, copy.fields[1].name.data);
    assert_true(strview_equal(copy_of_copy.fields[1].name, STRVIEW("x-a")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_name_has_its_token),
        cmocka_unit_test(a_name_that_differs_in_one_byte_has_no_token),
        cmocka_unit_test(fields_are_kept_in_order_and_counted),
        cmocka_unit_test(a_copy_has_bytes_and_room_of_its_own),
        cmocka_unit_test(a_static_name_is_not_copied),
        cmocka_unit_test(the_first_cookie_of_a_name_is_found_in_any_field),
        cmocka_unit_test(names_are_tokens_and_values_have_no_controls),
        cmocka_unit_test(a_control_character_is_found_wherever_it_stands),
        cmocka_unit_test(names_without_a_token_and_pseudo_fields_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
