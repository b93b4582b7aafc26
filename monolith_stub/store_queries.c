#include "monolith_stub/store_queries.h"

#include "monolith_stub/feeds/feed_queries.h"

/* id, title, slug, category, author's id, username (NULL: not known here), created_ms */
#define THREAD_COLUMNS                                                                             \
    "SELECT threads.id, threads.title, categories.slug, categories.title, threads.created_by,"     \
    " users.username, threads.created_ms FROM threads"                                             \
    " LEFT JOIN categories ON categories.id = threads.category_id"                                 \
    " LEFT JOIN users ON users.id = threads.created_by "

/* id, thread, author's id, username (NULL: not known here), text, created_ms, edited_ms, likes,
 * whether ?2 likes it */
#define POST_COLUMNS                                                                               \
    "SELECT posts.id, posts.thread_id, posts.user_id, users.username, posts.text,"                 \
    " posts.created_ms, posts.edited_ms,"                                                          \
    " (SELECT count(*) FROM likes WHERE likes.post_id = posts.id),"                                \
    " EXISTS (SELECT 1 FROM likes WHERE likes.post_id = posts.id AND likes.user_id = ?2)"          \
    " FROM posts LEFT JOIN users ON users.id = posts.user_id "

static const char *const query_sql[QUERY_OF_FEEDS] = {
    [QUERY_USERS] = "SELECT id, username, name, bio FROM users ORDER BY id",
    [QUERY_USER] = "SELECT id, username, name, bio FROM users WHERE id = ?1",
    [QUERY_THREADS] = "SELECT id, title, created_by FROM threads ORDER BY id",
    [QUERY_THREAD] = "SELECT id, title, created_by FROM threads WHERE id = ?1",
    [QUERY_POSTS] = "SELECT thread_id, text, user_id FROM posts WHERE NOT deleted ORDER BY id",
    [QUERY_POSTS_IN_THREAD] = "SELECT thread_id, text, user_id FROM posts"
                              " WHERE thread_id = ?1 AND NOT deleted ORDER BY id",
    [QUERY_POSTS_BY_USER] = "SELECT thread_id, text, user_id FROM posts"
                            " WHERE user_id = ?1 AND NOT deleted ORDER BY id",
    /* A page after an id: ?1 the last id seen, ?2 how many rows. */
    [QUERY_EXPORT_USERS] =
        "SELECT id, username, name, bio FROM users WHERE id > ?1 ORDER BY id LIMIT ?2",
    [QUERY_EXPORT_THREADS] =
        "SELECT id, title, created_by FROM threads WHERE id > ?1 ORDER BY id LIMIT ?2",
    [QUERY_EXPORT_POSTS] = "SELECT id, thread_id, text, user_id FROM posts"
                           " WHERE id > ?1 AND NOT deleted ORDER BY id LIMIT ?2",

    [QUERY_PROFILE] = "SELECT id, username, name, bio, created_ms FROM users WHERE id = ?1",
    [QUERY_USERNAME_TAKEN] = "SELECT 1 FROM users WHERE username = ?1"
                             " UNION ALL SELECT 1 FROM accounts WHERE username = ?1",
    [QUERY_USER_ADD] =
        "INSERT INTO users (username, name, bio, created_ms) VALUES (?1, ?2, '', ?3)",
    [QUERY_USER_EDIT] = "UPDATE users SET name = ?2, bio = ?3 WHERE id = ?1",
    [QUERY_ACCOUNT] = "SELECT id, salt, hash, n, r, p FROM accounts WHERE username = ?1",
    [QUERY_ACCOUNT_ADD] = "INSERT INTO accounts (id, username, salt, hash, n, r, p)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [QUERY_SESSION] = "SELECT sessions.user_id, sessions.expires_ms, users.username FROM sessions"
                      " LEFT JOIN users ON users.id = sessions.user_id WHERE sessions.id = ?1",
    [QUERY_SESSION_ADD] = "INSERT INTO sessions (id, user_id, created_ms, expires_ms)"
                          " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_SESSION_DELETE] = "DELETE FROM sessions WHERE id = ?1",
    [QUERY_SESSION_EXPIRED] = "SELECT id FROM sessions WHERE expires_ms < ?1 LIMIT 1",

    [QUERY_CATEGORIES] =
        "SELECT id, slug, title, description FROM categories ORDER BY position, id",
    [QUERY_CATEGORY] = "SELECT id, slug, title, description FROM categories WHERE slug = ?1",
    [QUERY_THREAD_FULL] = THREAD_COLUMNS "WHERE threads.id = ?1",
    [QUERY_THREADS_COUNT] = "SELECT count(*) FROM threads WHERE category_id = ?1",
    [QUERY_THREADS_PAGE] =
        THREAD_COLUMNS "WHERE threads.category_id = ?1 ORDER BY threads.id DESC LIMIT ?3 OFFSET ?4",
    [QUERY_THREAD_ADD] = "INSERT INTO threads (title, created_by, category_id, created_ms)"
                         " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_POST_FULL] = POST_COLUMNS "WHERE posts.id = ?1 AND NOT posts.deleted",
    [QUERY_POSTS_COUNT] = "SELECT count(*) FROM posts WHERE thread_id = ?1 AND NOT deleted",
    [QUERY_POSTS_PAGE] = POST_COLUMNS "WHERE posts.thread_id = ?1 AND NOT posts.deleted"
                                      " ORDER BY posts.id LIMIT ?3 OFFSET ?4",
    [QUERY_POST_BEFORE] = "SELECT count(*) FROM posts"
                          " WHERE thread_id = ?1 AND NOT deleted AND id < ?2",
    [QUERY_POST_ADD] = "INSERT INTO posts (thread_id, text, user_id, created_ms)"
                       " VALUES (?1, ?2, ?3, ?4)",
    [QUERY_POST_EDIT] = "UPDATE posts SET text = ?2, edited_ms = ?3 WHERE id = ?1",
    [QUERY_POST_DELETE] = "UPDATE posts SET text = '', deleted = 1, edited_ms = ?2 WHERE id = ?1",
    [QUERY_LIKE_ADD] = "INSERT OR IGNORE INTO likes (post_id, user_id, created_ms) "
                       "VALUES (?1, ?2, ?3)",
    [QUERY_LIKE_DELETE] = "DELETE FROM likes WHERE post_id = ?1 AND user_id = ?2",
    [QUERY_SEARCH_COUNT] = "SELECT count(*) FROM posts_search JOIN posts"
                           " ON posts.id = posts_search.rowid"
                           " WHERE posts_search MATCH ?1 AND NOT posts.deleted",
    [QUERY_SEARCH_PAGE] = POST_COLUMNS
    "WHERE posts.id IN (SELECT rowid FROM posts_search WHERE posts_search MATCH ?1)"
    " AND NOT posts.deleted ORDER BY posts.id DESC LIMIT ?3 OFFSET ?4",
};

const char *store_query_sql(enum query query)
{
    return query < QUERY_OF_FEEDS ? query_sql[query] : feed_query_sql(query);
}
