#include "monolith_stub/people/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum { MEMORY_LIMIT = 64 * 1024 * 1024, COST_LIMIT = 1 << 20 };

static bool derive(struct text_view password, const struct password_hash *numbers,
                   unsigned char *ret_hash)
{
    if (numbers->n < 2 || numbers->r < 1 || numbers->p < 1 || numbers->n > COST_LIMIT ||
        numbers->r > 64 || numbers->p > 4)
        return false;
    return EVP_PBE_scrypt(password.bytes, password.length, numbers->salt, PASSWORD_SALT_BYTES,
                          (uint64_t)numbers->n, (uint64_t)numbers->r, (uint64_t)numbers->p,
                          MEMORY_LIMIT, ret_hash, PASSWORD_HASH_BYTES) == 1;
}

bool password_hash_new(struct text_view password, struct password_hash *ret_hash)
{
    struct password_hash made = {.n = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P};
    if (RAND_bytes(made.salt, sizeof(made.salt)) != 1 || !derive(password, &made, made.hash))
        return false;
    *ret_hash = made;
    return true;
}

bool password_fits(struct text_view password, const struct password_hash *hash)
{
    unsigned char derived[PASSWORD_HASH_BYTES];
    bool fits =
        derive(password, hash, derived) && CRYPTO_memcmp(derived, hash->hash, sizeof(derived)) == 0;
    OPENSSL_cleanse(derived, sizeof(derived));
    return fits;
}
