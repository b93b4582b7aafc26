#include "extracted/threads/threads_queries.h"

#include "extracted/service_kit/feed_rows.h"
#include "extracted/service_kit/replica.h"

/* By enum thread_column. */
#define THREAD_ROWS                                                                                \
    "SELECT threads.id, threads.title, slug, categories.title, created_by, username, created_ms"   \
    " FROM threads LEFT JOIN categories ON categories.id = category_id"                            \
    " LEFT JOIN users ON users.id = created_by "

/* By enum category_column. */
#define CATEGORY_ROWS                                                                              \
    "SELECT id, slug, title, description, (SELECT count(*) FROM threads"                           \
    " WHERE category_id = categories.id) FROM categories "

const char *const threads_queries[THREADS_QUERY_COUNT] = {
    [QUERY_ALL] = "SELECT id, title, created_by FROM threads ORDER BY id",
    [QUERY_ONE] = "SELECT id, title, created_by FROM threads WHERE id = ?1",
    [QUERY_IMPORT] = "INSERT INTO threads (id, title, created_by) VALUES (?1, ?2, ?3)",
    [QUERY_PUT_CATEGORY] =
        "INSERT INTO categories (id, slug, title, description, position)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET slug = ?2, title = ?3,"
        " description = ?4, position = ?5",
    [QUERY_DELETE_CATEGORY] = "DELETE FROM categories WHERE id = ?1",
    [QUERY_PUT_THREAD] =
        "INSERT INTO threads (id, title, created_by, category_id, created_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET title = ?2, created_by = ?3,"
        " category_id = ?4, created_ms = ?5",
    [QUERY_DELETE_THREAD] = "DELETE FROM threads WHERE id = ?1",
    [QUERY_PUT_USER] = REPLICA_PUT_USER,
    [QUERY_DELETE_USER] = REPLICA_DELETE_USER,
    [QUERY_PUT_SESSION] = REPLICA_PUT_SESSION,
    [QUERY_DELETE_SESSION] = REPLICA_DELETE_SESSION,
    [QUERY_SESSION] = "SELECT user_id, expires_ms FROM sessions WHERE id = ?1",
    [QUERY_USERNAME] = "SELECT username FROM users WHERE id = ?1",
    [QUERY_CATEGORIES] = CATEGORY_ROWS "ORDER BY position, id",
    [QUERY_CATEGORY] = CATEGORY_ROWS "WHERE slug = ?1",
    [QUERY_CATEGORY_PAGE] =
        THREAD_ROWS "WHERE category_id = ?1 ORDER BY threads.id DESC LIMIT ?2 OFFSET ?3",
    [QUERY_THREAD] = THREAD_ROWS "WHERE threads.id = ?1",
    [QUERY_THREAD_ADD] = "INSERT INTO threads (title, created_by, category_id, created_ms)"
                         " VALUES (?1, ?2, ?3, ?4) RETURNING id",
    [QUERY_THREAD_EVENT] =
        "SELECT json_quote(id), json_object('id', id, 'title', title, 'createdBy', created_by,"
        " 'category', category_id, 'created_ms', created_ms) FROM threads WHERE id = ?1",
    [QUERY_CATEGORY_ROWS] =
        "SELECT id, slug, title, description, position, id FROM categories" FEED_ROWS_BY_ID,
    [QUERY_THREAD_ROWS] =
        "SELECT id, title, created_by, category_id, created_ms, id FROM threads" FEED_ROWS_BY_ID,
};

sqlite3_stmt *threads_category_begin(struct database *database, struct http_view slug)
{
    sqlite3_stmt *row = database_begin(database, QUERY_CATEGORY);
    sqlite3_bind_text(row, 1, slug.bytes, (int)slug.length, SQLITE_STATIC);
    return row;
}

sqlite3_stmt *threads_page_begin(struct database *database, int64_t category, int64_t rows,
                                 int64_t offset)
{
    sqlite3_stmt *page = database_begin(database, QUERY_CATEGORY_PAGE);
    sqlite3_bind_int64(page, 1, category);
    sqlite3_bind_int64(page, 2, rows);
    sqlite3_bind_int64(page, 3, offset);
    return page;
}
