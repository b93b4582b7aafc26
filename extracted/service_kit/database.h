/*
 * A service's own SQLite file, its schema's history and its compiled queries.
 * Owner: the service. One thread. Faults are logged here, once, with the service's name.
 */
#ifndef SERVICE_KIT_DATABASE_H
#define SERVICE_KIT_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extracted/service_kit/kit_queries.h"

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

/* The same for one of the kit's own. */
sqlite3_stmt *database_begin_kit(struct database *database, enum kit_query query);

/* True as long as there is a row. */
bool database_next(sqlite3_stmt *query);

/* Ends a query and its locks. False if it failed on the way; logged. */
bool database_end(struct database *database, sqlite3_stmt *query);

/* For a query without rows: runs and ends it. False: logged. */
bool database_run(struct database *database, sqlite3_stmt *query);

/* The same for an INSERT … RETURNING an integer. */
bool database_run_returning(struct database *database, sqlite3_stmt *query, int64_t *ret_value);

/* Runs SQL that takes no values. False: logged. */
bool database_execute(struct database *database, const char *sql);

/* A transaction. Nothing that can wait happens between its two ends. False: logged, and nothing is
 * open. */
bool database_transaction_begin(struct database *database);

/* Keeps it if `is_good`, else rolls back. False: nothing was kept. */
bool database_transaction_end(struct database *database, bool is_good);

/* The rows that are added to a table with AUTOINCREMENT get ids above `last`. False: logged. */
bool database_number_from(struct database *database, const char *constant_table, int64_t last);

/* How many events were stored since the start; those who wait for one compare it. */
unsigned database_news(const struct database *database);
void database_add_news(struct database *database);

/* A text column of the current row; never NULL; valid until the next step. */
const char *database_text(sqlite3_stmt *query, int column, size_t *ret_length);

/* Small facts that survive a restart, by name. A missing one reads as false. */
bool database_fact_read(struct database *database, const char *name, sqlite3_int64 *ret_value);
bool database_fact_write(struct database *database, const char *name, sqlite3_int64 value);

#endif
