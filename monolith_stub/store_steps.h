/*
 * The steps of the schema's history after the first: what face 2.0 needs. Constants, and the one
 * fill that SQL alone cannot do. Main thread, inside the schema's transaction.
 */
#ifndef MONOLITH_STORE_STEPS_H
#define MONOLITH_STORE_STEPS_H

#include "monolith_stub/store.h"

/* Step 2: accounts, sessions, categories, likes, search, times, ownership, outbox, cursors. The
 * old rows stay as they are, with times that are made up but the same everywhere. */
extern const char store_step_face2[];

/* Gives the rows of step 2 their categories, accounts and events. False: logged, roll back. */
bool store_step_face2_fill(struct store *store);

#endif
