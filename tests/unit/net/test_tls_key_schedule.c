#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>

#include "proxy/net/tls_key_schedule.h"

enum { HASH_BYTES = 32, LONGEST_BYTES = 48, ROOM_BYTES = 1024 };

static const char openssls_own[] = "provider=default";

/* What is asked for; NULL: not said. */
struct question {
    int mode;
    const char *hash;
    const void *key;
    const void *salt;
    const char *label;
    const void *data;
    size_t bytes; /* of key, salt and data each */
};

static bool ask(const char *query, const struct question *question, unsigned char *ret_secret,
                size_t length)
{
    static char prefix[] = "tls13 ";
    int mode = question->mode;
    OSSL_PARAM parameters[8];
    OSSL_PARAM *at = parameters;
    *at++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *at++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)question->hash, 0);
    *at++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, strlen(prefix));
    *at++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (char *)question->label,
                                              strlen(question->label));
    const void *const values[] = {question->key, question->salt, question->data};
    const char *const names[] = {OSSL_KDF_PARAM_KEY, OSSL_KDF_PARAM_SALT, OSSL_KDF_PARAM_DATA};
    for (int i = 0; i < 3; i++) {
        if (values[i] != NULL)
            *at++ = OSSL_PARAM_construct_octet_string(names[i], (void *)values[i], question->bytes);
    }
    *at = OSSL_PARAM_construct_end();
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, query);
    assert_non_null(kdf);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    assert_non_null(context);
    int result = EVP_KDF_derive(context, ret_secret, length, parameters);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return result == 1;
}

static void a_context_made_with_the_query_finds_this_one(void **state)
{
    (void)state;
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, tls_key_schedule_query());
    assert_non_null(kdf);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)), "strangler");
    EVP_KDF_free(kdf);
}

static void where_only_what_is_certified_is_allowed_it_is_not_found(void **state)
{
    (void)state;
    assert_non_null(tls_key_schedule_query());
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, "fips=yes,?own.tls");
    if (kdf != NULL)
        assert_string_not_equal(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)), "strangler");
    EVP_KDF_free(kdf);
}

/* RFC 8448 section 3: a handshake that went so far as to have two secrets. */
static void the_secrets_of_the_traced_handshake_come_out(void **state)
{
    (void)state;
    static const unsigned char shared[] =
        "\x8b\xd4\x05\x4f\xb5\x5b\x9d\x63\xfd\xfb\xac\xf9\xf0\x4b\x9f\x0d"
        "\x35\xe6\xd6\x3f\x53\x75\x63\xef\xd4\x62\x72\x90\x0f\x89\x49\x2d";
    static const unsigned char transcript[] =
        "\x86\x0c\x06\xed\xc0\x78\x58\xee\x8e\x78\xf0\xe7\x42\x8c\x58\xed"
        "\xd6\xb4\x3f\x2c\xa3\xe6\xe9\x5f\x02\xed\x06\x3c\xf0\xe1\xca\xd8";
    const char *query = tls_key_schedule_query();
    unsigned char early[HASH_BYTES];
    unsigned char handshake[HASH_BYTES];
    unsigned char traffic[HASH_BYTES];
    struct question question = {.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
                                .hash = "SHA2-256",
                                .label = "derived",
                                .bytes = HASH_BYTES};
    assert_true(ask(query, &question, early, sizeof(early)));
    assert_memory_equal(early,
                        "\x33\xad\x0a\x1c\x60\x7e\xc0\x3b\x09\xe6\xcd\x98\x93\x68\x0c\xe2"
                        "\x10\xad\xf3\x00\xaa\x1f\x26\x60\xe1\xb2\x2e\x10\xf1\x70\xf9\x2a",
                        HASH_BYTES);
    question.salt = early;
    question.key = shared;
    assert_true(ask(query, &question, handshake, sizeof(handshake)));
    assert_memory_equal(handshake,
                        "\x1d\xc8\x26\xe9\x36\x06\xaa\x6f\xdc\x0a\xad\xc1\x2f\x74\x1b\x01"
                        "\x04\x6a\xa6\xb9\x9f\x69\x1e\xd2\x21\xa9\xf0\xca\x04\x3f\xbe\xac",
                        HASH_BYTES);
    question = (struct question){.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
                                 .hash = "SHA2-256",
                                 .key = handshake,
                                 .label = "c hs traffic",
                                 .data = transcript,
                                 .bytes = HASH_BYTES};
    assert_true(ask(query, &question, traffic, sizeof(traffic)));
    assert_memory_equal(traffic,
                        "\xb3\xed\xdb\x12\x6e\x06\x7f\x35\xa7\x80\xb3\xab\xf4\x5e\x2d\x8f"
                        "\x3b\x1a\x95\x07\x38\xf5\x2e\x96\x00\x74\x6a\x0e\x27\xa5\x5a\x21",
                        HASH_BYTES);
}

static void assert_same(const struct question *question, size_t length)
{
    unsigned char ours[ROOM_BYTES] = {0};
    unsigned char theirs[ROOM_BYTES] = {0};
    assert_true(ask(tls_key_schedule_query(), question, ours, length));
    assert_true(ask(openssls_own, question, theirs, length));
    assert_memory_equal(ours, theirs, sizeof(ours));
}

static void it_says_the_same_as_openssls_own_to_both_hashes_and_all_lengths(void **state)
{
    (void)state;
    unsigned char secret[LONGEST_BYTES];
    unsigned char more[LONGEST_BYTES];
    for (size_t i = 0; i < sizeof(secret); i++) {
        secret[i] = (unsigned char)(i * 7 + 1);
        more[i] = (unsigned char)(i * 29 + 3);
    }
    const char *const hashes[] = {"SHA2-256", "SHA256", "sha2-384", "SHA384"};
    for (int i = 0; i < 4; i++) {
        size_t bytes = i < 2 ? HASH_BYTES : LONGEST_BYTES;
        struct question question = {.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
                                    .hash = hashes[i],
                                    .key = secret,
                                    .label = "key",
                                    .bytes = bytes};
        for (size_t length = 1; length <= ROOM_BYTES; length += 31)
            assert_same(&question, length);
        question.data = more;
        assert_same(&question, bytes);
        question.data = NULL;
        question.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
        question.label = "derived";
        assert_same(&question, bytes);
        question.salt = more;
        assert_same(&question, bytes);
        question.key = NULL;
        assert_same(&question, bytes);
    }
}

static void what_tls_never_asks_for_is_refused(void **state)
{
    (void)state;
    unsigned char out[ROOM_BYTES];
    char label[300];
    memset(label, 'l', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    const char *query = tls_key_schedule_query();
    const struct question good = {.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
                                  .hash = "SHA2-256",
                                  .key = label,
                                  .label = "key",
                                  .bytes = HASH_BYTES};
    assert_true(ask(query, &good, out, HASH_BYTES));
    struct question other_hash = good;
    other_hash.hash = "SHA1";
    assert_false(ask(query, &other_hash, out, HASH_BYTES));
    struct question long_label = good;
    long_label.label = label;
    assert_false(ask(query, &long_label, out, HASH_BYTES));
    struct question long_key = good;
    long_key.bytes = HASH_BYTES + 1;
    assert_false(ask(query, &long_key, out, HASH_BYTES));
    struct question no_key = good;
    no_key.key = NULL;
    assert_false(ask(query, &no_key, out, HASH_BYTES));
    struct question other_mode = good;
    other_mode.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
    assert_false(ask(query, &other_mode, out, HASH_BYTES));
    struct question short_secret = good;
    short_secret.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    assert_false(ask(query, &short_secret, out, HASH_BYTES - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_made_with_the_query_finds_this_one),
        cmocka_unit_test(where_only_what_is_certified_is_allowed_it_is_not_found),
        cmocka_unit_test(the_secrets_of_the_traced_handshake_come_out),
        cmocka_unit_test(it_says_the_same_as_openssls_own_to_both_hashes_and_all_lengths),
        cmocka_unit_test(what_tls_never_asks_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
