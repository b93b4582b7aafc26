#include "proxy/backend/silence.h"

enum { FADES_BY = 32 };

void silence_asked(struct silence *silence, uint64_t now_ms)
{
    if (silence->asked++ == 0)
        silence->since_ms = now_ms;
    silence->tried_ms = now_ms;
}

void silence_broken(struct silence *silence, uint64_t took_us)
{
    uint32_t took = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
    silence->since_ms = 0;
    silence->timed_out_ms = 0;
    silence->asked = 0;
    if (took >= silence->usual_us)
        silence->usual_us = took;
    else
        silence->usual_us -= (silence->usual_us - took) / FADES_BY;
}

void silence_timed_out(struct silence *silence, uint64_t began_ms, uint64_t now_ms)
{
    if (silence->asked > 0 && silence->since_ms <= began_ms)
        silence->timed_out_ms = now_ms;
}

static uint64_t longest_ms(const struct silence *silence)
{
    uint64_t usual_ms = (uint64_t)silence->usual_us * SILENCE_FACTOR / 1000;
    return usual_ms > SILENCE_LEAST_MS ? usual_ms : SILENCE_LEAST_MS;
}

bool silence_is_long(const struct silence *silence, bool may_fail, uint64_t now_ms)
{
    /* Nobody may have waited any longer: without new ones it is not known how it does. */
    bool is_unbroken = now_ms > silence->since_ms + longest_ms(silence) &&
                       now_ms < silence->tried_ms + SILENCE_FORGET_MS;
    bool is_long = silence->timed_out_ms != 0 ? now_ms < silence->timed_out_ms + SILENCE_FORGET_MS
                                              : is_unbroken;
    return is_long && !(may_fail && now_ms >= silence->tried_ms + SILENCE_TRIAL_MS);
}
