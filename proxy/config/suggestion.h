/* "did you mean …?": the known word nearest to a mistyped one. Pure, any thread. */
#ifndef CONFIG_SUGGESTION_H
#define CONFIG_SUGGESTION_H

#include "proxy/core/strview.h"

/* Collects candidates one by one; `best` stays empty when none is near enough. */
struct suggestion {
    struct strview wrong;
    struct strview best;
    size_t distance; /* of the best, or the first that would be too far */
};

struct suggestion suggestion_begin(struct strview wrong);
void suggestion_offer(struct suggestion *suggestion, struct strview candidate);

/* Insertions, deletions, replacements and swaps of neighbours, ignoring ASCII case; words longer
 * than 100 bytes are far from everything. */
size_t edit_distance(struct strview a, struct strview b);

#endif
