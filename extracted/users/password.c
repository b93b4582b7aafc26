#include "extracted/users/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum {
    MEMORY_LIMIT = 64 * 1024 * 1024,
    N_LARGEST = 1 << 20,
    R_LARGEST = 64,
    P_LARGEST = 4,
};

static bool is_affordable(const struct password_hash *numbers)
{
    return numbers->n >= 2 && numbers->n <= N_LARGEST && numbers->r >= 1 &&
           numbers->r <= R_LARGEST && numbers->p >= 1 && numbers->p <= P_LARGEST;
}

static bool derive(struct http_view password, const struct password_hash *numbers,
                   unsigned char ret_hash[PASSWORD_HASH_BYTES])
{
    return is_affordable(numbers) &&
           EVP_PBE_scrypt(password.bytes, password.length, numbers->salt, PASSWORD_SALT_BYTES,
                          (uint64_t)numbers->n, (uint64_t)numbers->r, (uint64_t)numbers->p,
                          MEMORY_LIMIT, ret_hash, PASSWORD_HASH_BYTES) == 1;
}

struct password_hash password_hash_of_nobody(void)
{
    return (struct password_hash){.n = PASSWORD_N, .r = PASSWORD_R, .p = PASSWORD_P};
}

bool password_hash_new(struct http_view password, struct password_hash *ret_hash)
{
    struct password_hash made = password_hash_of_nobody();
    if (RAND_bytes(made.salt, sizeof(made.salt)) != 1 || !derive(password, &made, made.hash))
        return false;
    *ret_hash = made;
    return true;
}

bool password_fits(struct http_view password, const struct password_hash *hash)
{
    unsigned char derived[PASSWORD_HASH_BYTES];
    bool fits =
        derive(password, hash, derived) && CRYPTO_memcmp(derived, hash->hash, sizeof(derived)) == 0;
    OPENSSL_cleanse(derived, sizeof(derived));
    return fits;
}
