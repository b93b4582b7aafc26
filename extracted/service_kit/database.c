#include "extracted/service_kit/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUSY_MS = 5000, SEQUENCE_SQL_LENGTH = 320 };

struct database {
    const char *service;
    sqlite3 *handle;
    sqlite3_stmt *fact_read;
    sqlite3_stmt *fact_write;
    sqlite3_stmt *kit_queries[KIT_QUERY_COUNT];
    unsigned news;
    size_t query_count;
    sqlite3_stmt *queries[];
};

static bool log_fault(struct database *database)
{
    fprintf(stderr, "%s: database: %s\n", database->service, sqlite3_errmsg(database->handle));
    return false;
}

bool database_execute(struct database *database, const char *sql)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
           log_fault(database);
}

static bool compile(struct database *database, const char *sql, sqlite3_stmt **ret_query)
{
    int outcome =
        sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_query, NULL);
    return outcome == SQLITE_OK || log_fault(database);
}

static int schema_version(struct database *database)
{
    sqlite3_stmt *query = NULL;
    int version = -1;
    if (compile(database, "PRAGMA user_version", &query) && database_next(query))
        version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return version;
}

/* All missing steps and the new version in one transaction. */
static bool run_schema_steps(struct database *database, const struct database_plan *plan)
{
    int version = schema_version(database);
    if (version < 0 || (size_t)version > plan->schema_count) {
        fprintf(stderr, "%s: the database has schema %d, this program knows %zu\n",
                database->service, version, plan->schema_count);
        return false;
    }
    for (size_t i = (size_t)version; i < plan->schema_count; i++) {
        if (!database_execute(database, plan->schema[i]))
            return false;
    }
    /* A pragma takes no parameters; the number is ours. */
    char set_version[48];
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu", plan->schema_count);
    return database_execute(database, set_version);
}

static bool update_schema(struct database *database, const struct database_plan *plan)
{
    if (!database_execute(database, "BEGIN IMMEDIATE"))
        return false;
    if (database_execute(database, kit_schema) && run_schema_steps(database, plan) &&
        database_execute(database, "COMMIT"))
        return true;
    sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool compile_queries(struct database *database, const struct database_plan *plan)
{
    if (!compile(database, "SELECT value FROM service_facts WHERE name = ?1",
                 &database->fact_read) ||
        !compile(database, "REPLACE INTO service_facts (name, value) VALUES (?1, ?2)",
                 &database->fact_write))
        return false;
    for (size_t i = 0; i < KIT_QUERY_COUNT; i++) {
        if (!compile(database, kit_query_sql((enum kit_query)i), &database->kit_queries[i]))
            return false;
    }
    for (size_t i = 0; i < plan->query_count; i++) {
        if (!compile(database, plan->queries[i], &database->queries[i]))
            return false;
        database->query_count++;
    }
    return true;
}

static bool open_file(struct database *database, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &database->handle, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(database->handle, BUSY_MS) == SQLITE_OK &&
        database_execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                   "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"))
        return true;
    fprintf(stderr, "%s: cannot open database '%s'\n", database->service, path);
    return log_fault(database);
}

struct database *database_open(const char *service, const char *path,
                               const struct database_plan *plan)
{
    size_t queries = plan->query_count * sizeof(sqlite3_stmt *);
    struct database *database = calloc(1, sizeof(*database) + queries);
    if (database == NULL)
        return NULL;
    database->service = service;
    if (open_file(database, path) && update_schema(database, plan) &&
        compile_queries(database, plan))
        return database;
    database_close(database);
    return NULL;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    for (size_t i = 0; i < database->query_count; i++)
        sqlite3_finalize(database->queries[i]);
    for (size_t i = 0; i < KIT_QUERY_COUNT; i++)
        sqlite3_finalize(database->kit_queries[i]);
    sqlite3_finalize(database->fact_read);
    sqlite3_finalize(database->fact_write);
    sqlite3_close(database->handle);
    free(database);
}

sqlite3_stmt *database_begin(struct database *database, size_t query)
{
    sqlite3_clear_bindings(database->queries[query]);
    return database->queries[query];
}

sqlite3_stmt *database_begin_kit(struct database *database, enum kit_query query)
{
    sqlite3_clear_bindings(database->kit_queries[query]);
    return database->kit_queries[query];
}

bool database_transaction_begin(struct database *database)
{
    return database_execute(database, "BEGIN IMMEDIATE");
}

bool database_transaction_end(struct database *database, bool is_good)
{
    if (is_good && database_execute(database, "COMMIT"))
        return true;
    sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool database_number_from(struct database *database, const char *constant_table, int64_t last)
{
    char sql[SEQUENCE_SQL_LENGTH];
    snprintf(sql, sizeof(sql),
             "INSERT INTO sqlite_sequence (name, seq) SELECT '%s', 0"
             " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '%s');"
             "UPDATE sqlite_sequence SET seq = max(seq, %" PRId64 ") WHERE name = '%s'",
             constant_table, constant_table, last, constant_table);
    return database_execute(database, sql);
}

unsigned database_news(const struct database *database)
{
    return database->news;
}

void database_add_news(struct database *database)
{
    database->news++;
}

const char *database_text(sqlite3_stmt *query, int column, size_t *ret_length)
{
    const char *text = (const char *)sqlite3_column_text(query, column);
    *ret_length = (size_t)sqlite3_column_bytes(query, column);
    return text == NULL ? "" : text;
}

bool database_next(sqlite3_stmt *query)
{
    return sqlite3_step(query) == SQLITE_ROW;
}

bool database_end(struct database *database, sqlite3_stmt *query)
{
    return sqlite3_reset(query) == SQLITE_OK || log_fault(database);
}

bool database_run(struct database *database, sqlite3_stmt *query)
{
    sqlite3_step(query);
    return database_end(database, query);
}

bool database_run_returning(struct database *database, sqlite3_stmt *query, int64_t *ret_value)
{
    bool found = database_next(query);
    int64_t value = found ? sqlite3_column_int64(query, 0) : 0;
    while (found && database_next(query))
        continue; /* RETURNING is over only when the statement is */
    if (!database_end(database, query) || !found)
        return false;
    *ret_value = value;
    return true;
}

bool database_fact_read(struct database *database, const char *name, sqlite3_int64 *ret_value)
{
    sqlite3_stmt *query = database->fact_read;
    sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
    bool found = database_next(query);
    if (found)
        *ret_value = sqlite3_column_int64(query, 0);
    return database_end(database, query) && found;
}

bool database_fact_write(struct database *database, const char *name, sqlite3_int64 value)
{
    sqlite3_stmt *query = database->fact_write;
    sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, value);
    sqlite3_step(query);
    return database_end(database, query);
}
