#include "proxy/compare/noise.h"

#include <stdbool.h>

enum { RELATIVE_PERCENT = 20, ABSOLUTE_PER_10000 = 3 };

enum noise_judgement noise_judge(const struct noise_counts *counts)
{
    if (counts->total < NOISE_LEARNING_BASELINES)
        return NOISE_LEARNING;
    if (counts->raw <= counts->noise)
        return NOISE_NOISE;
    uint64_t more = counts->raw - counts->noise;
    uint64_t all = counts->raw + counts->noise;
    bool relative = more * 100 > all * RELATIVE_PERCENT;
    bool absolute = more * 10000 > counts->total * ABSOLUTE_PER_10000;
    return relative && absolute ? NOISE_REAL : NOISE_NOISE;
}
