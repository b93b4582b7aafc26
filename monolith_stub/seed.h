/*
 * The people and talk a new forum begins with. Main thread, inside the schema's transaction.
 */
#ifndef MONOLITH_SEED_H
#define MONOLITH_SEED_H

#include <stddef.h>

#include "monolith_stub/store.h"

struct seed_post {
    int thread_id;
    int user_id;
    const char *text;
};

/* In the order in which they were written; ids count from 1. */
extern const struct seed_post seed_posts[];
extern const size_t seed_post_count;

/* Writes all rows into empty tables. False: the fault was logged; roll back. */
bool seed_fill(struct store *store);

/* Writes the categories, puts the known threads into theirs, and gives the known people a
 * password. False: the fault was logged; roll back. */
bool seed_fill_face2(struct store *store);

#endif
