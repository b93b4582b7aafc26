/*
 * The tables of the forum, made and filled at the first start, later changed step by step.
 * Main thread, before the server starts.
 */
#ifndef MONOLITH_STORE_SCHEMA_H
#define MONOLITH_STORE_SCHEMA_H

#include "monolith_stub/store.h"

/* Brings the database to the newest schema. Each step is one transaction that also counts
 * `user_version` up, so a step runs once, wholly, or not at all, even across a crash.
 * False: the fault was logged and the database is as it was before the failing step. */
bool store_schema_update(struct store *store);

#endif
