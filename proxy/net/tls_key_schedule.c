/* The SHA-2 that needs no object is called deprecated, but there is no other without one. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "proxy/net/tls_key_schedule.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
    HASH_BYTES_MAX = SHA384_DIGEST_LENGTH,
    BLOCK_BYTES_MAX = SHA512_CBLOCK,
    FIELD_BYTES_MAX = 255, /* of HkdfLabel, which says lengths in a byte */
    INFO_BYTES_MAX = 2 + 1 + FIELD_BYTES_MAX + 1 + FIELD_BYTES_MAX,
    BLOCKS_MAX = 255, /* RFC 5869 section 2.3 */
};

struct octets {
    const unsigned char *data;
    size_t length;
};

/* --- hashing ------------------------------------------------------------------------------- */

/* Those of the cipher suites of TLS 1.3 (RFC 8446 appendix B.4), with all their names. */
struct hash {
    size_t bytes;
    size_t block_bytes;
    const char *names[3];
};

static const struct hash sha256 = {
    SHA256_DIGEST_LENGTH, SHA256_CBLOCK, {"SHA2-256", "SHA256", "SHA-256"}};
static const struct hash sha384 = {
    SHA384_DIGEST_LENGTH, SHA512_CBLOCK, {"SHA2-384", "SHA384", "SHA-384"}};

union hash_state {
    SHA256_CTX of_256;
    SHA512_CTX of_384;
};

static const struct hash *hash_find(const char *name)
{
    for (size_t i = 0; i < sizeof(sha256.names) / sizeof(sha256.names[0]); i++) {
        if (strcasecmp(name, sha256.names[i]) == 0)
            return &sha256;
        if (strcasecmp(name, sha384.names[i]) == 0)
            return &sha384;
    }
    return NULL;
}

/* None of these can fail. */
static void hash_start(const struct hash *hash, union hash_state *state)
{
    if (hash == &sha256)
        SHA256_Init(&state->of_256);
    else
        SHA384_Init(&state->of_384);
}

static void hash_add(const struct hash *hash, union hash_state *state, const void *data,
                     size_t length)
{
    if (hash == &sha256)
        SHA256_Update(&state->of_256, data, length);
    else
        SHA384_Update(&state->of_384, data, length);
}

static void hash_end(const struct hash *hash, union hash_state *state, unsigned char *ret_value)
{
    if (hash == &sha256)
        SHA256_Final(ret_value, &state->of_256);
    else
        SHA384_Final(ret_value, &state->of_384);
}

/* --- HMAC (RFC 2104) ----------------------------------------------------------------------- */

struct mac {
    const struct hash *hash;
    union hash_state state;
    unsigned char pad[BLOCK_BYTES_MAX];
};

/* The key is not longer than the hash, as none is in the key schedule. */
static void mac_start(struct mac *mac, const struct hash *hash, struct octets key)
{
    mac->hash = hash;
    memset(mac->pad, 0x36, sizeof(mac->pad));
    for (size_t i = 0; i < key.length; i++)
        mac->pad[i] ^= key.data[i];
    hash_start(hash, &mac->state);
    hash_add(hash, &mac->state, mac->pad, hash->block_bytes);
}

static void mac_add(struct mac *mac, const void *data, size_t length)
{
    hash_add(mac->hash, &mac->state, data, length);
}

static void mac_end(struct mac *mac, unsigned char *ret_value)
{
    unsigned char inner[HASH_BYTES_MAX];
    hash_end(mac->hash, &mac->state, inner);
    for (size_t i = 0; i < mac->hash->block_bytes; i++)
        mac->pad[i] ^= 0x36 ^ 0x5c;
    hash_start(mac->hash, &mac->state);
    hash_add(mac->hash, &mac->state, mac->pad, mac->hash->block_bytes);
    hash_add(mac->hash, &mac->state, inner, mac->hash->bytes);
    hash_end(mac->hash, &mac->state, ret_value);
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(mac, sizeof(*mac));
}

/* --- the key schedule ---------------------------------------------------------------------- */

/* What OpenSSL's TLS asks for; which of it there is depends on what is derived. */
struct request {
    const struct hash *hash;
    int mode;
    struct octets key;
    struct octets salt;
    struct octets prefix;
    struct octets label;
    struct octets data;
};

/* HKDF-Expand (RFC 5869 section 2.3). */
static bool expand(const struct hash *hash, struct octets secret, struct octets info,
                   unsigned char *out, size_t length)
{
    unsigned char value[HASH_BYTES_MAX];
    if (secret.length > hash->bytes || length > BLOCKS_MAX * hash->bytes)
        return false;
    for (size_t done = 0, number = 1; done < length; number++) {
        struct mac mac;
        mac_start(&mac, hash, secret);
        if (done > 0)
            mac_add(&mac, value, hash->bytes);
        mac_add(&mac, info.data, info.length);
        mac_add(&mac, &(unsigned char){(unsigned char)number}, 1);
        mac_end(&mac, value);
        size_t part = length - done < hash->bytes ? length - done : hash->bytes;
        memcpy(out + done, value, part);
        done += part;
    }
    OPENSSL_cleanse(value, sizeof(value));
    return true;
}

static unsigned char *put_field(unsigned char *at, struct octets field)
{
    if (field.length > 0)
        memcpy(at, field.data, field.length);
    return at + field.length;
}

/* HKDF-Expand-Label (RFC 8446 section 7.1). */
static bool expand_label(const struct request *request, struct octets secret, struct octets data,
                         unsigned char *out, size_t length)
{
    size_t label_bytes = request->prefix.length + request->label.length;
    if (request->prefix.length > FIELD_BYTES_MAX || request->label.length > FIELD_BYTES_MAX ||
        label_bytes > FIELD_BYTES_MAX || data.length > FIELD_BYTES_MAX || length > UINT16_MAX)
        return false;
    unsigned char info[INFO_BYTES_MAX] = {(unsigned char)(length >> 8), (unsigned char)length,
                                          (unsigned char)label_bytes};
    unsigned char *at = put_field(info + 3, request->prefix);
    at = put_field(at, request->label);
    *at++ = (unsigned char)data.length;
    at = put_field(at, data);
    return expand(request->hash, secret, (struct octets){info, (size_t)(at - info)}, out, length);
}

/*
 * The next secret in the chain: HKDF-Extract of the new input, or of zeros, with what is derived
 * from the secret before; the first has none before it.
 */
static bool extract(const struct request *request, unsigned char *out, size_t length)
{
    const struct hash *hash = request->hash;
    static const unsigned char zeros[HASH_BYTES_MAX];
    unsigned char salt[HASH_BYTES_MAX] = {0};
    if (length != hash->bytes)
        return false;
    if (request->salt.data != NULL) {
        unsigned char of_nothing[HASH_BYTES_MAX];
        union hash_state state;
        hash_start(hash, &state);
        hash_end(hash, &state, of_nothing);
        if (!expand_label(request, request->salt, (struct octets){of_nothing, hash->bytes}, salt,
                          hash->bytes))
            return false;
    }
    struct mac mac;
    mac_start(&mac, hash, (struct octets){salt, hash->bytes});
    if (request->key.data != NULL)
        mac_add(&mac, request->key.data, request->key.length);
    else
        mac_add(&mac, zeros, hash->bytes);
    mac_end(&mac, out);
    OPENSSL_cleanse(salt, sizeof(salt));
    return true;
}

/* --- as OpenSSL asks for it ---------------------------------------------------------------- */

static struct octets *field_of(struct request *request, const char *name)
{
    if (strcmp(name, OSSL_KDF_PARAM_KEY) == 0)
        return &request->key;
    if (strcmp(name, OSSL_KDF_PARAM_PREFIX) == 0)
        return &request->prefix;
    if (strcmp(name, OSSL_KDF_PARAM_LABEL) == 0)
        return &request->label;
    if (strcmp(name, OSSL_KDF_PARAM_DATA) == 0)
        return &request->data;
    return strcmp(name, OSSL_KDF_PARAM_SALT) == 0 ? &request->salt : NULL;
}

static bool read_octets(const OSSL_PARAM *parameter, struct octets *ret_octets)
{
    const void *data = NULL;
    size_t length = 0;
    if (OSSL_PARAM_get_octet_string_ptr(parameter, &data, &length) != 1)
        return false;
    *ret_octets = (struct octets){data, length};
    return true;
}

static bool read_parameter(struct request *request, const OSSL_PARAM *parameter)
{
    struct octets *field = field_of(request, parameter->key);
    if (field != NULL)
        return read_octets(parameter, field);
    if (strcmp(parameter->key, OSSL_KDF_PARAM_MODE) == 0)
        return OSSL_PARAM_get_int(parameter, &request->mode) == 1;
    if (strcmp(parameter->key, OSSL_KDF_PARAM_DIGEST) != 0)
        return true; /* where to look for the hash, for instance */
    const char *name = NULL;
    if (OSSL_PARAM_get_utf8_string_ptr(parameter, &name) != 1 || name == NULL)
        return false;
    request->hash = hash_find(name);
    return request->hash != NULL;
}

/* All that matters comes with the call. */
static int on_derive(void *context, unsigned char *out, size_t length,
                     const OSSL_PARAM parameters[])
{
    (void)context;
    struct request request = {.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND};
    for (const OSSL_PARAM *at = parameters; at != NULL && at->key != NULL; at++) {
        if (!read_parameter(&request, at))
            return 0;
    }
    if (request.hash == NULL)
        return 0;
    switch (request.mode) {
    case EVP_KDF_HKDF_MODE_EXTRACT_ONLY:
        return extract(&request, out, length);
    case EVP_KDF_HKDF_MODE_EXPAND_ONLY:
        return request.key.data != NULL &&
               expand_label(&request, request.key, request.data, out, length);
    default:
        return 0;
    }
}

/* Nothing is kept from one call to the next, but OpenSSL wants a pointer. */
static void *on_new_context(void *context)
{
    return context;
}

static void on_free_context(void *context)
{
    (void)context;
}

static const OSSL_DISPATCH key_schedule[] = {
    {OSSL_FUNC_KDF_NEWCTX, (void (*)(void))on_new_context},
    {OSSL_FUNC_KDF_FREECTX, (void (*)(void))on_free_context},
    {OSSL_FUNC_KDF_DERIVE, (void (*)(void))on_derive},
    {0, NULL},
};

/* With a property of our own, because a handshake looks things up a hundred times and OpenSSL reads
 * the query through in each; it has to have a dot (property(7)). */
static const OSSL_ALGORITHM algorithms[] = {
    {OSSL_KDF_NAME_TLS1_3_KDF, "provider=strangler,own.tls=yes", key_schedule, NULL},
    {NULL, NULL, NULL, NULL},
};
static const char query[] = "?own.tls";

static const OSSL_ALGORITHM *on_query(void *context, int operation, int *ret_changes)
{
    (void)context;
    *ret_changes = 0;
    return operation == OSSL_OP_KDF ? algorithms : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))on_query},
    {0, NULL},
};

static int on_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **ret_functions, void **ret_context)
{
    static char nothing;
    (void)handle, (void)core;
    *ret_functions = provider_functions;
    *ret_context = &nothing;
    return 1;
}

static OSSL_PROVIDER *provider; /* for the life of the process */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* OpenSSL's own provider stays, whether the system's configuration names it or not. */
static void add_provider(void)
{
    if (OSSL_PROVIDER_add_builtin(NULL, "strangler", on_provider) == 1)
        provider = OSSL_PROVIDER_try_load(NULL, "strangler", 1);
}

const char *tls_key_schedule_query(void)
{
    pthread_once(&once, add_provider);
    return provider != NULL ? query : NULL;
}
