/*
 * Passwords, kept as scrypt (RFC 7914). Slow and hungry on purpose: 16 MiB and some 50 ms with our
 * numbers, so only on a thread of the job pool. No state; any thread.
 */
#ifndef USERS_PASSWORD_H
#define USERS_PASSWORD_H

#include "extracted/service_kit/http_message.h"

enum {
    PASSWORD_SALT_BYTES = 16,
    PASSWORD_HASH_BYTES = 32,
    PASSWORD_N = 16384,
    PASSWORD_R = 8,
    PASSWORD_P = 1,
};

struct password_hash {
    unsigned char salt[PASSWORD_SALT_BYTES];
    unsigned char hash[PASSWORD_HASH_BYTES];
    int64_t n;
    int64_t r;
    int64_t p;
};

/* With our numbers and zeroes: what no password fits, in as much time as any other. */
struct password_hash password_hash_of_nobody(void);

/* A new hash, with a new salt. False: no memory, no randomness. */
bool password_hash_new(struct http_view password, struct password_hash *ret_hash);

/* In constant time. Numbers that would cost too much fit nothing. */
bool password_fits(struct http_view password, const struct password_hash *hash);

#endif
