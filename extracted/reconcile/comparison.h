/*
 * Compares the rows of one feed between the two applications of a module: digests of ranges of ids
 * first, rows only where these differ. Owner: reconcile's main. One thread; blocks.
 */
#ifndef EXTRACTED_RECONCILE_COMPARISON_H
#define EXTRACTED_RECONCILE_COMPARISON_H

#include <stdint.h>

#include "extracted/application/application.h"

enum {
    COMPARISON_ID_BYTES = 96,
    COMPARISON_DIFFERENCES_MAX = 1000, /* after so many, no further ones are looked for */
};

struct difference {
    char id[COMPARISON_ID_BYTES];
    char after[COMPARISON_ID_BYTES]; /* an id before it, or empty */
    json_t *legacy;                  /* its row; NULL: not there */
    json_t *extracted;
};

struct comparison {
    const char *feed;
    const struct application_pair *pair;
    int64_t legacy_rows;
    int64_t extracted_rows;
    struct difference *differences;
    size_t count;
    size_t settled; /* were found, and then were none */
    bool is_cut;    /* there may be more differences than these */
    struct application_fault fault;
};

/* Compares everything, anew. comparison_done ends it, also after a failure. False: an application
 * did not answer as it should; see the fault. */
bool comparison_run(struct comparison *comparison);

/* Asks again for the rows that differed, and forgets those that are equal by now, and those of
 * which both sides have another one than before: there replication is under way. What is new is not
 * looked for. False: as above. */
bool comparison_repeat(struct comparison *comparison);

void comparison_done(struct comparison *comparison);

#endif
