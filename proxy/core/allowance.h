/*
 * How often something may happen: so many times at once, and so many more each second. A bucket of
 * tokens; one owner, one thread. Time is an argument.
 */
#ifndef CORE_ALLOWANCE_H
#define CORE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance {
    uint32_t tokens;
    uint32_t at_once;
    uint32_t a_second;
    uint64_t earned_ms; /* until when tokens have been earned */
};

static inline void allowance_init(struct allowance *allowance, uint32_t at_once, uint32_t a_second,
                                  uint64_t now_ms)
{
    *allowance = (struct allowance){at_once, at_once, a_second, now_ms};
}

/* Tokens for something that was wanted, beside those that time brings. */
static inline void allowance_earn(struct allowance *allowance, uint32_t tokens)
{
    uint64_t sum = (uint64_t)allowance->tokens + tokens;
    allowance->tokens = sum < allowance->at_once ? (uint32_t)sum : allowance->at_once;
}

/* Takes one; false when there is none. */
static inline bool allowance_take(struct allowance *allowance, uint64_t now_ms)
{
    if (allowance->tokens == 0) {
        uint64_t earned = (now_ms - allowance->earned_ms) * allowance->a_second / 1000;
        if (earned == 0)
            return false;
        allowance->earned_ms = now_ms;
        allowance_earn(allowance,
                       earned < allowance->at_once ? (uint32_t)earned : allowance->at_once);
    }
    allowance->tokens--;
    return true;
}

#endif
