/*
 * An identity as a number: XXH3_64bits(cohort, 0x00, identity), scaled to 0 … 999 999. No state, so
 * every worker, replica and restart agrees. Pure, any thread.
 */
#ifndef ROUTING_BUCKET_H
#define ROUTING_BUCKET_H

#include "proxy/core/strview.h"

enum { BUCKET_COUNT = 1000000, BUCKETS_PER_PERCENT = 10000 };

/* 0 … BUCKET_COUNT - 1 */
uint32_t bucket_of(struct strview cohort, struct strview identity);

/*
 * A percentage as the first bucket that stays on legacy: 0 … BUCKET_COUNT. Four decimals, the rest
 * is rounded to nearest. False outside 0 … 100 or not a number.
 */
bool bucket_threshold_of_percent(double percent, uint32_t *ret_threshold);

/* Strict, so that 0 is nobody and BUCKET_COUNT everybody. */
static inline bool bucket_is_extracted(uint32_t bucket, uint32_t threshold)
{
    return bucket < threshold;
}

#endif
