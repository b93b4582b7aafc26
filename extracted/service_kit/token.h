/*
 * Secrets as text: made of 32 random bytes, kept only as a hash (session.h), and the CSRF word
 * that goes with one. Pure apart from token_new, which takes randomness from OpenSSL.
 */
#ifndef SERVICE_KIT_TOKEN_H
#define SERVICE_KIT_TOKEN_H

#include "extracted/service_kit/http_message.h"

enum {
    TOKEN_BYTES = 32,
    TOKEN_LENGTH = 43,      /* as base64url (RFC 4648 section 5) without padding */
    TOKEN_CSRF_LENGTH = 64, /* HMAC-SHA256 in hex */
};

/* A string with its NUL; empty: none. */
struct token {
    char text[TOKEN_LENGTH + 1];
};

struct token_csrf {
    char text[TOKEN_CSRF_LENGTH + 1];
};

/* False: there is no randomness to be had. */
bool token_new(struct token *ret_token);

/* Whether what a client sent has the form of a token. */
bool token_is_one(struct http_view text);

/* Takes it. False: it has not. */
bool token_read(struct http_view text, struct token *ret_token);

/* HMAC-SHA256 of "csrf", keyed with the token's text. Only pages that we made can know it. False:
 * the token is empty. */
bool token_csrf_of(const struct token *token, struct token_csrf *ret_word);

/* In constant time. False also without a token. */
bool token_csrf_fits(const struct token *token, struct http_view word);

#endif
