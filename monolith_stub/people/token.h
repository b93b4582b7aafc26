/*
 * Secrets as text: made of 32 random bytes, kept only as a hash, and the CSRF word that goes with
 * one. Pure apart from token_new, which takes randomness from OpenSSL; any thread.
 */
#ifndef MONOLITH_TOKEN_H
#define MONOLITH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TOKEN_BYTES = 32,
    TOKEN_LENGTH = 43,    /* as base64url (RFC 4648 section 5) without padding */
    TOKEN_HEX_LENGTH = 64 /* of a SHA-256 */
};

/* Both hold a string with its NUL. */
struct token {
    char text[TOKEN_LENGTH + 1]; /* empty: none */
};

struct token_hex {
    char text[TOKEN_HEX_LENGTH + 1];
};

/* False: there is no randomness to be had. */
bool token_new(struct token *ret_token);

/* Takes what a client sent, if it has the form of a token. */
bool token_read(const char *bytes, size_t length, struct token *ret_token);

/* SHA-256 of the token's text: what is stored and sent in its place. */
bool token_hash(const struct token *token, struct token_hex *ret_hash);

/* HMAC-SHA256 of "csrf", keyed with the token's text. Only pages that we made can know it. */
bool token_csrf(const struct token *token, struct token_hex *ret_csrf);

/* In constant time. False also without a token. */
bool token_csrf_fits(const struct token *token, const char *sent, size_t length);

/* Whether these are 64 digits in lower-case hex. */
bool token_is_hash(const char *bytes, size_t length);

void token_write_hex(const unsigned char *bytes, size_t length, char *ret_hex);

#endif
