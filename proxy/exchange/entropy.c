#include "proxy/exchange/entropy.h"

#include <sys/random.h>

#include "proxy/core/check.h"

void entropy_init(struct entropy *entropy)
{
    entropy->used = ENTROPY_BYTES;
}

static void refill(struct entropy *entropy)
{
    size_t filled = 0;
    while (filled < ENTROPY_BYTES) {
        ssize_t got = getrandom(entropy->bytes + filled, ENTROPY_BYTES - filled, 0);
        CHECK(got > 0); /* it cannot fail once the system has booted; signals are not ours */
        filled += (size_t)got;
    }
    entropy->used = 0;
}

const uint8_t *entropy_peek(struct entropy *entropy, size_t length)
{
    CHECK(length <= 256);
    if (ENTROPY_BYTES - entropy->used < length)
        refill(entropy);
    return entropy->bytes + entropy->used;
}

const uint8_t *entropy_take(struct entropy *entropy, size_t length)
{
    const uint8_t *bytes = entropy_peek(entropy, length);
    entropy->used += length;
    return bytes;
}
