#include "proxy/routing/bucket.h"

/* The algorithm in this object file, so that a long identity needs no allocation for its state. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Longest cohort and identity, together, that are hashed in one go. */
enum { JOINED_BYTES = 512 };

static uint64_t hash_joined(struct strview cohort, struct strview identity)
{
    char joined[JOINED_BYTES];
    if (cohort.length > 0)
        memcpy(joined, cohort.data, cohort.length);
    joined[cohort.length] = '\0';
    if (identity.length > 0)
        memcpy(joined + cohort.length + 1, identity.data, identity.length);
    return XXH3_64bits(joined, cohort.length + 1 + identity.length);
}

static uint64_t hash_streamed(struct strview cohort, struct strview identity)
{
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, cohort.data, cohort.length);
    XXH3_64bits_update(&state, "", 1);
    XXH3_64bits_update(&state, identity.data, identity.length);
    return XXH3_64bits_digest(&state);
}

uint32_t bucket_of(struct strview cohort, struct strview identity)
{
    bool fits = cohort.length < JOINED_BYTES && identity.length < JOINED_BYTES - cohort.length;
    uint64_t hash = fits ? hash_joined(cohort, identity) : hash_streamed(cohort, identity);
    return (uint32_t)(((unsigned __int128)hash * BUCKET_COUNT) >> 64);
}

bool bucket_threshold_of_percent(double percent, uint32_t *ret_threshold)
{
    if (!(percent >= 0 && percent <= 100))
        return false;
    *ret_threshold = (uint32_t)(percent * BUCKETS_PER_PERCENT + 0.5);
    return true;
}
