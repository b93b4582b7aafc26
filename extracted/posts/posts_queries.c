#include "extracted/posts/posts_queries.h"

#include "extracted/service_kit/feed_rows.h"
#include "extracted/service_kit/json_request.h"
#include "extracted/service_kit/replica.h"

/* By enum post_column; ?2 is who looks. */
#define POST_ROWS                                                                                  \
    "SELECT posts.id, thread_id, posts.user_id, username, text, created_ms, edited_ms,"            \
    " (SELECT count(*) FROM likes WHERE post_id = posts.id),"                                      \
    " EXISTS (SELECT 1 FROM likes WHERE post_id = posts.id AND user_id = ?2)"                      \
    " FROM posts LEFT JOIN users ON users.id = posts.user_id "

const char *const posts_queries[POSTS_QUERY_COUNT] = {
    [QUERY_ALL] = "SELECT thread_id, text, user_id FROM posts WHERE NOT deleted ORDER BY id",
    [QUERY_IN_THREAD] =
        "SELECT thread_id, text, user_id FROM posts WHERE thread_id = ?1 AND NOT deleted"
        " ORDER BY id",
    [QUERY_BY_USER] =
        "SELECT thread_id, text, user_id FROM posts WHERE user_id = ?1 AND NOT deleted"
        " ORDER BY id",
    [QUERY_IMPORT] = "INSERT INTO posts (id, thread_id, text, user_id) VALUES (?1, ?2, ?3, ?4)",
    [QUERY_PUT_POST] =
        "INSERT INTO posts (id, thread_id, user_id, text, created_ms, edited_ms, deleted)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET thread_id = ?2,"
        " user_id = ?3, text = ?4, created_ms = ?5, edited_ms = ?6, deleted = ?7",
    [QUERY_DELETE_POST] = "DELETE FROM posts WHERE id = ?1",
    [QUERY_PUT_LIKE] = "INSERT INTO likes (post_id, user_id, created_ms) VALUES (?1, ?2, ?3)"
                       " ON CONFLICT (post_id, user_id) DO UPDATE SET created_ms = ?3",
    /* The id is "POST:USER". */
    [QUERY_DELETE_LIKE] = "DELETE FROM likes WHERE post_id = CAST(?1 AS INTEGER)"
                          " AND user_id = CAST(substr(?1, instr(?1, ':') + 1) AS INTEGER)",
    [QUERY_PUT_USER] = REPLICA_PUT_USER,
    [QUERY_DELETE_USER] = REPLICA_DELETE_USER,
    [QUERY_PUT_SESSION] = REPLICA_PUT_SESSION,
    [QUERY_DELETE_SESSION] = REPLICA_DELETE_SESSION,
    [QUERY_PUT_THREAD] =
        "INSERT INTO threads (id, title, created_by, category_id, created_ms, epoch)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET title = ?2,"
        " created_by = ?3, category_id = ?4, created_ms = ?5, epoch = ?6 WHERE ?6 >= epoch",
    [QUERY_DELETE_THREAD] = "DELETE FROM threads WHERE id = ?1 AND epoch <= ?2",
    [QUERY_PUT_CATEGORY] =
        "INSERT INTO categories (id, slug, title, epoch) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (id) DO UPDATE SET slug = ?2, title = ?3, epoch = ?4 WHERE ?4 >= epoch",
    [QUERY_SESSION] = "SELECT user_id, expires_ms FROM sessions WHERE id = ?1",
    [QUERY_USERNAME] = "SELECT username FROM users WHERE id = ?1",
    [QUERY_DELETE_CATEGORY] = "DELETE FROM categories WHERE id = ?1 AND epoch <= ?2",
    [QUERY_THREAD] =
        "SELECT threads.id, threads.title, slug, categories.title, created_by, username,"
        " created_ms FROM threads LEFT JOIN categories ON categories.id = category_id"
        " LEFT JOIN users ON users.id = created_by WHERE threads.id = ?1",
    [QUERY_POST] = POST_ROWS "WHERE posts.id = ?1 AND NOT deleted",
    [QUERY_THREAD_COUNT] = "SELECT count(*) FROM posts WHERE thread_id = ?1 AND NOT deleted",
    [QUERY_THREAD_PAGE] =
        POST_ROWS "WHERE thread_id = ?1 AND NOT deleted ORDER BY posts.id LIMIT ?3 OFFSET ?4",
    [QUERY_POSTS_BEFORE] =
        "SELECT count(*) FROM posts WHERE thread_id = ?1 AND NOT deleted AND id < ?2",
    [QUERY_SEARCH_COUNT] = "SELECT count(*) FROM posts WHERE NOT deleted AND id IN"
                           " (SELECT rowid FROM post_words WHERE post_words MATCH ?1)",
    [QUERY_SEARCH_PAGE] = POST_ROWS "WHERE NOT deleted AND posts.id IN"
                                    " (SELECT rowid FROM post_words WHERE post_words MATCH ?1)"
                                    " ORDER BY posts.id DESC LIMIT ?3 OFFSET ?4",
    [QUERY_POST_ADD] = "INSERT INTO posts (thread_id, user_id, text, created_ms)"
                       " VALUES (?1, ?2, ?3, ?4) RETURNING id",
    [QUERY_POST_EDIT] = "UPDATE posts SET text = ?2, edited_ms = ?3 WHERE id = ?1",
    [QUERY_POST_CLEAR] = "UPDATE posts SET text = '', deleted = 1, edited_ms = ?2 WHERE id = ?1",
    [QUERY_POST_EVENT] =
        "SELECT json_quote(id), json_object('id', id, 'thread', thread_id, 'user', user_id,"
        " 'text', text, 'created_ms', created_ms, 'edited_ms', edited_ms, 'deleted',"
        " json(iif(deleted, 'true', 'false'))) FROM posts WHERE id = ?1",
    [QUERY_LIKED] = "SELECT 1 FROM likes WHERE post_id = ?1 AND user_id = ?2",
    [QUERY_LIKE_EVENT] =
        "SELECT json_quote(post_id || ':' || user_id), json_object('post', post_id,"
        " 'user', user_id, 'created_ms', created_ms) FROM likes"
        " WHERE post_id = ?1 AND user_id = ?2",
    [QUERY_POST_ROWS] = "SELECT id, thread_id, user_id, text, created_ms, edited_ms, deleted, id"
                        " FROM posts" FEED_ROWS_BY_ID,
    /* Ids are "POST:USER"; without a colon substr takes the whole text. */
    [QUERY_LIKE_ROWS] =
        "SELECT post_id, user_id, created_ms, post_id || ':' || user_id FROM likes"
        " WHERE (post_id, user_id) > (coalesce(CAST(?1 AS INTEGER), -9223372036854775807),"
        " coalesce(CAST(substr(?1, instr(?1, ':') + 1) AS INTEGER), 0))"
        " AND (post_id, user_id) <= (coalesce(CAST(?2 AS INTEGER), 9223372036854775807),"
        " coalesce(CAST(substr(?2, instr(?2, ':') + 1) AS INTEGER), 9223372036854775807))"
        " ORDER BY post_id, user_id LIMIT ?3",
};

static sqlite3_stmt *begin_listing(struct database *database, const struct post_listing *listing,
                                   enum posts_query of_thread, enum posts_query of_search)
{
    const struct body_text *expression = listing->expression;
    sqlite3_stmt *rows = database_begin(database, expression != NULL ? of_search : of_thread);
    if (expression != NULL)
        sqlite3_bind_text(rows, 1, expression->bytes, (int)expression->length, SQLITE_STATIC);
    else
        sqlite3_bind_int64(rows, 1, listing->thread);
    return rows;
}

bool posts_listing_count(struct database *database, const struct post_listing *listing,
                         int64_t *ret_total)
{
    sqlite3_stmt *row = begin_listing(database, listing, QUERY_THREAD_COUNT, QUERY_SEARCH_COUNT);
    if (database_next(row))
        *ret_total = sqlite3_column_int64(row, 0);
    return database_end(database, row);
}

sqlite3_stmt *posts_listing_begin(struct database *database, const struct post_listing *listing,
                                  int64_t page)
{
    const int64_t last_page = INT32_MAX; /* a page past the end is empty, however far */
    int64_t before = (page < last_page ? page : last_page) - 1;
    sqlite3_stmt *rows = begin_listing(database, listing, QUERY_THREAD_PAGE, QUERY_SEARCH_PAGE);
    sqlite3_bind_int64(rows, 2, listing->viewer);
    sqlite3_bind_int64(rows, 3, JSON_PAGE_ROWS);
    sqlite3_bind_int64(rows, 4, before * JSON_PAGE_ROWS);
    return rows;
}

sqlite3_stmt *posts_one_begin(struct database *database, int64_t post, int64_t viewer)
{
    sqlite3_stmt *row = database_begin(database, QUERY_POST);
    sqlite3_bind_int64(row, 1, post);
    sqlite3_bind_int64(row, 2, viewer);
    return row;
}
