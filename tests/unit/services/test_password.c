#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/users/account_fields.h"
#include "extracted/users/password.h"

static struct http_view text(const char *string)
{
    return (struct http_view){string, strlen(string)};
}

static void a_password_fits_its_own_hash_and_no_other(void **state)
{
    (void)state;
    struct password_hash first;
    struct password_hash second;
    assert_true(password_hash_new(text("figs-and-dates"), &first));
    assert_true(password_hash_new(text("figs-and-dates"), &second));
    assert_memory_not_equal(first.salt, second.salt, sizeof(first.salt));
    assert_memory_not_equal(first.hash, second.hash, sizeof(first.hash));
    assert_true(password_fits(text("figs-and-dates"), &first));
    assert_false(password_fits(text("figs-and-datez"), &first));
    assert_false(password_fits(text("figs-and-dates "), &first));
    assert_false(password_fits(text(""), &first));
}

static void nothing_fits_the_hash_of_nobody(void **state)
{
    (void)state;
    struct password_hash nobody = password_hash_of_nobody();
    assert_false(password_fits(text(""), &nobody));
    assert_false(password_fits(text("figs-and-dates"), &nobody));
}

/* They are part of the row: other ones than ours are taken, if they can be paid for. */
static void the_numbers_of_the_hash_count(void **state)
{
    (void)state;
    static const struct {
        int64_t n, r, p;
    } unpayable[] = {{0, 8, 1},       {1, 8, 1},         {-16384, 8, 1},  {16385, 8, 1},
                     {1 << 21, 8, 1}, {16384, 0, 1},     {16384, 65, 1},  {16384, 8, 0},
                     {16384, 8, 5},   {INT64_MAX, 8, 1}, {1 << 20, 64, 4}};
    /* Made elsewhere, with the numbers below. */
    struct password_hash hash = {
        .salt = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        .hash = {0xcf, 0x86, 0x6e, 0x48, 0x4a, 0x39, 0x5a, 0x8d, 0xfe, 0xec, 0x72,
                 0x64, 0xe3, 0x96, 0x44, 0x40, 0x5d, 0xe2, 0x5c, 0xc9, 0x80, 0xc2,
                 0x79, 0xb0, 0xe9, 0xfd, 0xbf, 0xa8, 0xab, 0x55, 0xc1, 0xf5},
        .n = 1024,
        .r = 8,
        .p = 2,
    };
    assert_true(password_fits(text("12345678"), &hash));
    hash.p = 1;
    assert_false(password_fits(text("12345678"), &hash));
    for (size_t i = 0; i < sizeof(unpayable) / sizeof(unpayable[0]); i++) {
        struct password_hash other = hash;
        other.n = unpayable[i].n;
        other.r = unpayable[i].r;
        other.p = unpayable[i].p;
        assert_false(password_fits(text("12345678"), &other));
    }
}

static bool takes(struct outcome (*check)(struct http_view value), const char *value)
{
    return check(text(value)).kind == OUTCOME_DONE;
}

static void fields_have_bounds(void **state)
{
    (void)state;
    static const char *const bad_names[] = {"",
                                            "ab",
                                            "a b",
                                            "a.b",
                                            "\xc3\xa4\xc3\xa4\xc3\xa4",
                                            "<b>",
                                            "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
        assert_false(takes(account_check_username, bad_names[i]));
    assert_true(takes(account_check_username, "A_z"));
    assert_true(takes(account_check_username, "abcdefghijklmnopqrstuvwxyz-_0123"));
    assert_false(takes(account_check_password, "1234567"));
    assert_true(takes(account_check_password, "12345678"));
    assert_false(account_check_password((struct http_view){"1234567\0009", 9}).kind ==
                 OUTCOME_DONE);
    char long_text[1024];
    memset(long_text, 'x', sizeof(long_text));
    assert_true(account_check_password((struct http_view){long_text, 200}).kind == OUTCOME_DONE);
    assert_false(account_check_password((struct http_view){long_text, 201}).kind == OUTCOME_DONE);
    assert_true(account_check_name((struct http_view){long_text, 80}).kind == OUTCOME_DONE);
    assert_false(account_check_name((struct http_view){long_text, 81}).kind == OUTCOME_DONE);
    assert_true(account_check_bio((struct http_view){long_text, 500}).kind == OUTCOME_DONE);
    assert_false(account_check_bio((struct http_view){long_text, 501}).kind == OUTCOME_DONE);
    assert_true(takes(account_check_name, "") && takes(account_check_bio, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_fits_its_own_hash_and_no_other),
        cmocka_unit_test(nothing_fits_the_hash_of_nobody),
        cmocka_unit_test(the_numbers_of_the_hash_count),
        cmocka_unit_test(fields_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
