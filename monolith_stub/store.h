/*
 * One connection to the forum's database, with every statement it needs already compiled.
 * Owner: the store pool, the writer, or main while the schema is made. One thread at a time.
 */
#ifndef MONOLITH_STORE_H
#define MONOLITH_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monolith_stub/store_queries.h"

struct store {
    sqlite3 *database;
    unsigned touched_feeds; /* a bit for each feed that got events in this transaction */
    sqlite3_stmt *queries[QUERY_COUNT];
};

/* Opens the file (making it if it is missing), WAL. False: the fault was logged, nothing is open.
 */
bool store_open(struct store *store, const char *path);

/* Compiles the queries; the schema has to be there. False: the fault was logged. */
bool store_prepare(struct store *store);

void store_close(struct store *store);

/* A compiled query, rewound and without values. Bind, step, and end with store_end. */
sqlite3_stmt *store_begin(struct store *store, enum query query);

/* Steps to the next row. False at the end or on a fault; store_end tells which. */
bool store_next(sqlite3_stmt *query);

/* Ends a query, so that it holds no lock. False if it had failed; the fault was logged. */
bool store_end(sqlite3_stmt *query);

/* For a query without rows: steps and ends it. False: the fault was logged. */
bool store_run(sqlite3_stmt *query);

/* Runs SQL without parameters. False: the fault was logged. */
bool store_execute(struct store *store, const char *sql);

/* Borrowed text stays the caller's and has to outlive the step. */
void store_bind_text(sqlite3_stmt *query, int index, const char *bytes, size_t length);

/* A column's bytes, until the next step; never NULL. */
const char *store_text(sqlite3_stmt *row, int column, size_t *ret_length);

#endif
