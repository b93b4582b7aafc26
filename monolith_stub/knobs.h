/*
 * Faults made on purpose, for demonstrations and tests: slow answers, failing ones, wrong ones.
 * Set once by the options; read from any thread.
 */
#ifndef MONOLITH_KNOBS_H
#define MONOLITH_KNOBS_H

#include <stdbool.h>
#include <stdint.h>

enum bug {
    BUG_NONE,
    BUG_OFF_BY_ONE,    /* the total of a list is one too high */
    BUG_DROPPED_FIELD, /* posts come without edited_at, users without bio */
    BUG_REORDERED,     /* the entries of a list come backwards */
    BUG_SLOW_SEARCH,   /* a search takes a second longer */
};

enum { KNOBS_SLOW_SEARCH_MS = 1000, KNOBS_LATENCY_LIMIT_MS = 60 * 1000 };

struct knobs {
    uint32_t latency_low_ms; /* both 0: none */
    uint32_t latency_high_ms;
    uint32_t fail_millionths;
    enum bug bug;
};

/* "20ms" or "20ms,200ms" (also in s); "1%" or "0.5%"; a name. False: it is none. */
bool knobs_read_latency(const char *text, struct knobs *knobs);
bool knobs_read_fail(const char *text, struct knobs *knobs);
bool knobs_read_bug(const char *text, struct knobs *knobs);

/* How long this answer is held back, and whether it fails; `random` decides. */
uint32_t knobs_latency_ms(const struct knobs *knobs, uint32_t random);
bool knobs_fails(const struct knobs *knobs, uint32_t random);

#endif
