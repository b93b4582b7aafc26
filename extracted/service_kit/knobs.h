/*
 * Faults made on purpose, for demonstrations and tests: slow answers, failing ones, wrong ones.
 * They mean the same as the monolith's. Set once by the options. Pure: chance is an argument.
 */
#ifndef SERVICE_KIT_KNOBS_H
#define SERVICE_KIT_KNOBS_H

#include <stdbool.h>
#include <stdint.h>

enum bug {
    BUG_NONE,
    BUG_OFF_BY_ONE,    /* the total of a list is one too high */
    BUG_DROPPED_FIELD, /* users come without bio, posts without edited_at */
    BUG_REORDERED,     /* the items of a list come the other way round */
    BUG_SLOW_SEARCH,   /* a search takes KNOBS_SLOW_SEARCH_MS longer */
};

enum { KNOBS_SLOW_SEARCH_MS = 1000, KNOBS_LATENCY_LIMIT_MS = 60 * 1000 };

struct knobs {
    uint32_t latency_low_ms; /* both 0: none */
    uint32_t latency_high_ms;
    uint32_t fail_millionths;
    enum bug bug;
};

/* "20ms" or "20ms,200ms"; "1%" or "0.5%"; the name of a bug. False: it is none. */
bool knobs_parse_latency(const char *text, struct knobs *knobs);
bool knobs_parse_fail(const char *text, struct knobs *knobs);
bool knobs_parse_bug(const char *text, struct knobs *knobs);

bool knobs_are_set(const struct knobs *knobs);

/* How long the answer of a route is held back, and whether it fails; `random` decides. The route
 * is its pattern, NULL where there is none; what is between applications is left alone. */
uint32_t knobs_delay_ms(const struct knobs *knobs, const char *route, uint32_t random);
bool knobs_fails(const struct knobs *knobs, const char *route, uint32_t random);

#endif
