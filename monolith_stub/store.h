/*
 * One connection to the forum's database, with every statement it needs already compiled.
 * Owner: the store pool, or main while the schema is made. One thread at a time.
 */
#ifndef MONOLITH_STORE_H
#define MONOLITH_STORE_H

#include <sqlite3.h>
#include <stdbool.h>

/* What the forum asks of its database. The columns of each are listed beside its SQL. */
enum query {
    QUERY_USERS,
    QUERY_USER,
    QUERY_THREADS,
    QUERY_THREAD,
    QUERY_POSTS,
    QUERY_POSTS_IN_THREAD,
    QUERY_POSTS_BY_USER,
    QUERY_FORUM_PAGE,
    QUERY_EXPORT_USERS,
    QUERY_EXPORT_THREADS,
    QUERY_EXPORT_POSTS,
    QUERY_COUNT,
};

struct store {
    sqlite3 *database;
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

/* Runs SQL without parameters. False: the fault was logged. */
bool store_execute(struct store *store, const char *sql);

#endif
