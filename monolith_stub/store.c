#include "monolith_stub/store.h"

#include <stdio.h>

enum { BUSY_TIMEOUT_MS = 5000 };

static const char *const query_sql[QUERY_COUNT] = {
    [QUERY_USERS] = "SELECT id, username, name, bio FROM users ORDER BY id",
    [QUERY_USER] = "SELECT id, username, name, bio FROM users WHERE id = ?1",
    [QUERY_THREADS] = "SELECT id, title, created_by FROM threads ORDER BY id",
    [QUERY_THREAD] = "SELECT id, title, created_by FROM threads WHERE id = ?1",
    [QUERY_POSTS] = "SELECT thread_id, text, user_id FROM posts ORDER BY id",
    [QUERY_POSTS_IN_THREAD] =
        "SELECT thread_id, text, user_id FROM posts WHERE thread_id = ?1 ORDER BY id",
    [QUERY_POSTS_BY_USER] =
        "SELECT thread_id, text, user_id FROM posts WHERE user_id = ?1 ORDER BY id",
    [QUERY_FORUM_PAGE] =
        "SELECT threads.id, threads.title, starter.name, posts.id, posts.text, author.name"
        " FROM threads JOIN users AS starter ON starter.id = threads.created_by"
        " LEFT JOIN posts ON posts.thread_id = threads.id"
        " LEFT JOIN users AS author ON author.id = posts.user_id"
        " ORDER BY threads.id, posts.id",
    /* A page after an id: ?1 the last id seen, ?2 how many rows. */
    [QUERY_EXPORT_USERS] =
        "SELECT id, username, name, bio FROM users WHERE id > ?1 ORDER BY id LIMIT ?2",
    [QUERY_EXPORT_THREADS] =
        "SELECT id, title, created_by FROM threads WHERE id > ?1 ORDER BY id LIMIT ?2",
    [QUERY_EXPORT_POSTS] =
        "SELECT id, thread_id, text, user_id FROM posts WHERE id > ?1 ORDER BY id LIMIT ?2",
};

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
        store_execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                             "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"))
        return true;
    fprintf(stderr, "monolith_stub: cannot open database '%s': %s\n", path,
            sqlite3_errmsg(store->database));
    store_close(store);
    return false;
}

bool store_prepare(struct store *store)
{
    for (int i = 0; i < QUERY_COUNT; i++) {
        if (sqlite3_prepare_v3(store->database, query_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->queries[i], NULL) != SQLITE_OK) {
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
