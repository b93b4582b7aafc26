/* Random bytes from the kernel, fetched many at a time, so that a request rarely costs a call. One
 * thread. Good enough for identities: nobody can guess the next one. */
#ifndef EXCHANGE_ENTROPY_H
#define EXCHANGE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

enum { ENTROPY_BYTES = 8192 };

struct entropy {
    size_t used;
    uint8_t bytes[ENTROPY_BYTES];
};

void entropy_init(struct entropy *entropy);

/* The bytes that the next call will give, for who may not need them: `length` (at most 256). */
const uint8_t *entropy_peek(struct entropy *entropy, size_t length);

/* `length` (at most 256) fresh bytes, valid until the next call. */
const uint8_t *entropy_take(struct entropy *entropy, size_t length);

#endif
