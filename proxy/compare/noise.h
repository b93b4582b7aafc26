/*
 * Is a difference real, or does the first side differ from itself as well? Diffy's rule over counts
 * of requests that were asked of the first side twice. Pure.
 */
#ifndef COMPARE_NOISE_H
#define COMPARE_NOISE_H

#include <stdint.h>

enum noise_judgement {
    NOISE_LEARNING, /* too few baselines to say */
    NOISE_NOISE,
    NOISE_REAL
};

enum { NOISE_LEARNING_BASELINES = 20 };

/* Of one field, over the requests with a baseline. */
struct noise_counts {
    uint64_t raw;   /* first and second side differed in the field */
    uint64_t noise; /* the first side's two answers differed in it */
    uint64_t total; /* requests with a baseline */
};

/*
 * Real if raw > noise, and |raw - noise| / (raw + noise) > 20 %, and |raw - noise| / total > 0.03
 * %; learning while there are fewer than NOISE_LEARNING_BASELINES.
 */
enum noise_judgement noise_judge(const struct noise_counts *counts);

#endif
