/*
 * How long an endpoint has answered nothing, as one worker sees it: one that hangs is suspected
 * long before enough requests have failed there to eject it. Who is suspected is not closed: others
 * are preferred, while there are any. Part of a backend_pool, one thread.
 */
#ifndef BACKEND_SILENCE_H
#define BACKEND_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SILENCE_ASKED = 4,      /* requests without an answer: fewer say nothing before they time out */
    SILENCE_LEAST_MS = 250, /* and at least so long, */
    SILENCE_FACTOR = 10,    /* and so many times what a slow answer has taken lately */
    SILENCE_TRIAL_MS = 1000,       /* so often a request that may fail goes there all the same */
    SILENCE_FORGET_MS = 10 * 1000, /* so long after a timeout, or after the last that was sent,
                                      others may go there again */
};

struct silence {
    uint64_t since_ms;     /* the first request after the last answer; 0: none */
    uint64_t timed_out_ms; /* when one waited in vain that was answered by silence alone; 0: none */
    uint64_t tried_ms;     /* when one was sent while that may have been in vain */
    uint32_t asked;        /* requests after the last answer */
    uint32_t usual_us; /* until the first byte: the longest, which fades with every shorter one */
};

/* A request is sent. */
void silence_asked(struct silence *silence, uint64_t now_ms);

/* Its answer begins, whatever it says. */
void silence_broken(struct silence *silence, uint64_t took_us);

/* There was no answer to a request, sent at `began_ms`, in the time that it had. */
void silence_timed_out(struct silence *silence, uint64_t began_ms, uint64_t now_ms);

/* The same as silence_is_suspect, when it may be. */
bool silence_is_long(const struct silence *silence, bool may_fail, uint64_t now_ms);

/* Better another endpoint? `in_flight`: requests that are there now; `may_fail`: it would be tried
 * again elsewhere. */
static inline bool silence_is_suspect(const struct silence *silence, uint32_t in_flight,
                                      bool may_fail, uint64_t now_ms)
{
    bool in_doubt =
        silence->timed_out_ms != 0 || (silence->asked >= SILENCE_ASKED && in_flight > 0);
    return in_doubt && silence_is_long(silence, may_fail, now_ms);
}

#endif
