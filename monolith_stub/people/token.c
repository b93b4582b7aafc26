#include "monolith_stub/people/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

enum { HASH_BYTES = 32 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void token_write_hex(const unsigned char *bytes, size_t length, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_hex[2 * length] = 0;
}

bool token_new(struct token *ret_token)
{
    unsigned char bytes[TOKEN_BYTES + 1] = {0};
    if (RAND_bytes(bytes, TOKEN_BYTES) != 1)
        return false;
    for (size_t i = 0; i < TOKEN_LENGTH; i++) {
        size_t bit = i * 6;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        ret_token->text[i] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    ret_token->text[TOKEN_LENGTH] = 0;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return true;
}

bool token_read(const char *bytes, size_t length, struct token *ret_token)
{
    if (length != TOKEN_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == 0 || strchr(alphabet, bytes[i]) == NULL)
            return false;
    }
    memcpy(ret_token->text, bytes, length);
    ret_token->text[length] = 0;
    return true;
}

bool token_hash(const struct token *token, struct token_hex *ret_hash)
{
    unsigned char hash[HASH_BYTES];
    if (EVP_Digest(token->text, strlen(token->text), hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    token_write_hex(hash, sizeof(hash), ret_hash->text);
    return true;
}

bool token_csrf(const struct token *token, struct token_hex *ret_csrf)
{
    static const unsigned char word[] = "csrf";
    unsigned char mac[HASH_BYTES];
    unsigned length = 0;
    if (token->text[0] == 0 || HMAC(EVP_sha256(), token->text, (int)strlen(token->text), word,
                                    sizeof(word) - 1, mac, &length) == NULL)
        return false;
    token_write_hex(mac, sizeof(mac), ret_csrf->text);
    return true;
}

bool token_csrf_fits(const struct token *token, const char *sent, size_t length)
{
    struct token_hex csrf;
    return length == TOKEN_HEX_LENGTH && token_csrf(token, &csrf) &&
           CRYPTO_memcmp(csrf.text, sent, TOKEN_HEX_LENGTH) == 0;
}

bool token_is_hash(const char *bytes, size_t length)
{
    if (length != TOKEN_HEX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool is_digit = bytes[i] >= '0' && bytes[i] <= '9';
        if (!is_digit && (bytes[i] < 'a' || bytes[i] > 'f'))
            return false;
    }
    return true;
}
