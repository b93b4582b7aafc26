/*
 * A service's own SQLite file, its schema's history and its compiled queries.
 * Owner: the service. One thread. Faults are logged here, once, with the service's name.
 */
#ifndef SERVICE_KIT_DATABASE_H
#define SERVICE_KIT_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* What a service says about its tables; constants. */
struct database_plan {
    const char *const *schema; /* steps, each run once, in order; never edited, only added to */
    size_t schema_count;
    const char *const *queries; /* compiled at start, then known by their index */
    size_t query_count;
};

struct database;

/* Opens or makes the file and brings its schema up to date. NULL: the fault was logged. */
struct database *database_open(const char *service, const char *path,
                               const struct database_plan *plan);
void database_close(struct database *database);

/* A query, rewound and with no values bound. End it with database_end. */
sqlite3_stmt *database_begin(struct database *database, size_t query);

/* True as long as there is a row. */
bool database_next(sqlite3_stmt *query);

/* Ends a query and its locks. False if it failed on the way; logged. */
bool database_end(struct database *database, sqlite3_stmt *query);

/* Runs SQL that takes no values. False: logged. */
bool database_execute(struct database *database, const char *sql);

/* Small facts that survive a restart, by name. A missing one reads as false. */
bool database_fact_read(struct database *database, const char *name, sqlite3_int64 *ret_value);
bool database_fact_write(struct database *database, const char *name, sqlite3_int64 value);

#endif
