/*
 * Passwords, kept as scrypt (RFC 7914). Slow and hungry on purpose: call it on the threads for
 * passwords only. 16 MiB a call with our numbers.
 */
#ifndef MONOLITH_PASSWORD_H
#define MONOLITH_PASSWORD_H

#include <stdint.h>

#include "monolith_stub/text.h"

enum {
    PASSWORD_SALT_BYTES = 16,
    PASSWORD_HASH_BYTES = 32,
    PASSWORD_N = 16384,
    PASSWORD_R = 8,
    PASSWORD_P = 1
};

struct password_hash {
    unsigned char salt[PASSWORD_SALT_BYTES];
    unsigned char hash[PASSWORD_HASH_BYTES];
    int64_t n;
    int64_t r;
    int64_t p;
};

/* A new hash, with a new salt. False: no memory, no randomness. */
bool password_hash_new(struct text_view password, struct password_hash *ret_hash);

/* In constant time. Numbers that would cost too much are refused. */
bool password_fits(struct text_view password, const struct password_hash *hash);

#endif
