#include "monolith_stub/store.h"

#include <stdio.h>

enum { BUSY_TIMEOUT_MS = 5000 };

static void log_fault(sqlite3 *database)
{
    fprintf(stderr, "monolith_stub: database: %s\n", sqlite3_errmsg(database));
}

bool store_execute(struct store *store, const char *sql)
{
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    log_fault(store->database);
    return false;
}

bool store_open(struct store *store, const char *path)
{
    *store = (struct store){0};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &store->database, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(store->database, BUSY_TIMEOUT_MS) == SQLITE_OK &&
        store_execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                             "PRAGMA temp_store = MEMORY;"))
        return true;
    fprintf(stderr, "monolith_stub: cannot open database '%s': %s\n", path,
            sqlite3_errmsg(store->database));
    store_close(store);
    return false;
}

bool store_prepare(struct store *store)
{
    for (int i = 0; i < QUERY_COUNT; i++) {
        if (sqlite3_prepare_v3(store->database, store_query_sql((enum query)i), -1,
                               SQLITE_PREPARE_PERSISTENT, &store->queries[i], NULL) != SQLITE_OK) {
            log_fault(store->database);
            return false;
        }
    }
    return true;
}

void store_close(struct store *store)
{
    for (int i = 0; i < QUERY_COUNT; i++)
        sqlite3_finalize(store->queries[i]);
    sqlite3_close(store->database);
    *store = (struct store){0};
}

sqlite3_stmt *store_begin(struct store *store, enum query query)
{
    sqlite3_stmt *statement = store->queries[query];
    sqlite3_clear_bindings(statement);
    return statement;
}

bool store_next(sqlite3_stmt *query)
{
    return sqlite3_step(query) == SQLITE_ROW;
}

bool store_end(sqlite3_stmt *query)
{
    if (sqlite3_reset(query) == SQLITE_OK)
        return true;
    log_fault(sqlite3_db_handle(query));
    return false;
}

bool store_run(sqlite3_stmt *query)
{
    while (store_next(query)) {
    }
    return store_end(query);
}

void store_bind_text(sqlite3_stmt *query, int index, const char *bytes, size_t length)
{
    sqlite3_bind_text64(query, index, length > 0 ? bytes : "", length, SQLITE_STATIC, SQLITE_UTF8);
}

const char *store_text(sqlite3_stmt *row, int column, size_t *ret_length)
{
    const char *bytes = (const char *)sqlite3_column_text(row, column);
    *ret_length = (size_t)sqlite3_column_bytes(row, column);
    return bytes == NULL ? "" : bytes;
}
