#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/hex.h"
#include "extracted/service_kit/session.h"
#include "extracted/service_kit/token.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz-_ABCDEFGHIJ01234"

static struct http_view text(const char *string)
{
    return (struct http_view){string, strlen(string)};
}

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    static const char *const good[] = {
        "sid=" TOKEN,
        "a=b; sid=" TOKEN,
        "sid=" TOKEN "; a=b",
        ";;  ; sid=" TOKEN ";",
        "sid=; sid=short; sid=" TOKEN "; sid=" TOKEN "x",
        "xsid=no; sid2=no; sid=" TOKEN,
        "vsid=" TOKEN "; sid=" TOKEN,
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct http_view token = {NULL, 0};
        assert_true(session_read_cookie(text(good[i]), "sid", &token));
        assert_true(http_view_equals(token, TOKEN));
    }
}

static void what_is_no_token_is_no_cookie(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ";",
        "sid",
        "sid=",
        "=" TOKEN,
        "sid=" TOKEN "x",
        "sid= " TOKEN,
        "sid=\"" TOKEN "\"",
        "SID=" TOKEN,
        "vsid=" TOKEN,
        "sid:" TOKEN,
        "a=sid=" TOKEN,
        "sid=abcdefghijklmnopqrstuvwxyz-_ABCDEFGHIJ0123+",
        "sid=abcdefghijklmnopqrstuvwxyz-_ABCDEFGHIJ0123 ",
        "sid=abcdefghijklmnopqrstuvwxyz-_ABCDEFGHIJ012\xc3\xa4",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_view token = {NULL, 0};
        assert_false(session_read_cookie(text(bad[i]), "sid", &token));
        assert_null(token.bytes);
    }
    struct http_view token;
    assert_false(session_read_cookie((struct http_view){NULL, 0}, "sid", &token));
    assert_false(session_read_cookie((struct http_view){"sid=" TOKEN, 20}, "sid", &token));
}

/* The digest of "abc" is an example of FIPS 180. */
static void a_token_is_stored_as_the_sha_256_of_its_text(void **state)
{
    (void)state;
    char hash[SESSION_HASH_LENGTH + 1];
    assert_true(session_hash(text("abc"), hash));
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void new_tokens_have_the_form_of_tokens_and_differ(void **state)
{
    (void)state;
    struct token first;
    struct token second;
    struct http_view found;
    char cookies[80];
    assert_true(token_new(&first) && token_new(&second));
    assert_string_not_equal(first.text, second.text);
    snprintf(cookies, sizeof(cookies), "sid=%s", first.text);
    assert_true(session_read_cookie(text(cookies), "sid", &found));
    assert_true(http_view_equals(found, first.text));
}

static void hex_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x7f, 0x80, 0xff};
    unsigned char read[sizeof(bytes)];
    char written[2 * sizeof(bytes) + 1];
    hex_write(bytes, sizeof(bytes), written);
    assert_string_equal(written, "007f80ff");
    assert_true(hex_read(text("007F80fF"), read, sizeof(read)));
    assert_memory_equal(read, bytes, sizeof(bytes));
    static const char *const bad[] = {"",         "007f80f",  "007f80ff0",
                                      "007f80fg", "007f80 f", "0x7f80ff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(hex_read(text(bad[i]), read, sizeof(read)));
    assert_false(hex_read((struct http_view){"00\0000000", 8}, read, sizeof(read)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_found_among_others),
        cmocka_unit_test(what_is_no_token_is_no_cookie),
        cmocka_unit_test(a_token_is_stored_as_the_sha_256_of_its_text),
        cmocka_unit_test(new_tokens_have_the_form_of_tokens_and_differ),
        cmocka_unit_test(hex_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
