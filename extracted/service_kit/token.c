#include "extracted/service_kit/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "extracted/service_kit/hex.h"

/* OpenSSL writes standard base64, with padding and a NUL. */
enum { ENCODED_ROOM = 4 * ((TOKEN_BYTES + 2) / 3) + 1, MAC_BYTES = TOKEN_CSRF_LENGTH / 2 };

static char as_url(unsigned char letter)
{
    switch (letter) {
    case '+':
        return '-';
    case '/':
        return '_';
    default:
        return (char)letter;
    }
}

bool token_new(struct token *ret_token)
{
    unsigned char bytes[TOKEN_BYTES];
    unsigned char encoded[ENCODED_ROOM];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    EVP_EncodeBlock(encoded, bytes, sizeof(bytes));
    for (size_t i = 0; i < TOKEN_LENGTH; i++)
        ret_token->text[i] = as_url(encoded[i]);
    ret_token->text[TOKEN_LENGTH] = 0;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(encoded, sizeof(encoded));
    return true;
}

static bool is_token_letter(char byte)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return is_letter || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

bool token_is_one(struct http_view text)
{
    if (text.length != TOKEN_LENGTH)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_token_letter(text.bytes[i]))
            return false;
    }
    return true;
}

bool token_read(struct http_view text, struct token *ret_token)
{
    if (!token_is_one(text))
        return false;
    memcpy(ret_token->text, text.bytes, text.length);
    ret_token->text[text.length] = 0;
    return true;
}

bool token_csrf_of(const struct token *token, struct token_csrf *ret_word)
{
    static const unsigned char message[] = {'c', 's', 'r', 'f'};
    unsigned char mac[MAC_BYTES];
    if (token->text[0] == 0 ||
        HMAC(EVP_sha256(), token->text, TOKEN_LENGTH, message, sizeof(message), mac, NULL) == NULL)
        return false;
    hex_write(mac, sizeof(mac), ret_word->text);
    return true;
}

bool token_csrf_fits(const struct token *token, struct http_view word)
{
    struct token_csrf own;
    return word.length == TOKEN_CSRF_LENGTH && token_csrf_of(token, &own) &&
           CRYPTO_memcmp(own.text, word.bytes, TOKEN_CSRF_LENGTH) == 0;
}
