#include "monolith_stub/store_queries.h"

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/feeds/outbox_sql.h"

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

/* A member of the event's row; ?1 is the event. */
#define ROW_INTEGER(name) "CAST(json_extract(?1, '$.row." name "') AS INTEGER)"
#define ROW_TEXT(name) "CAST(json_extract(?1, '$.row." name "') AS TEXT)"

static const char *const query_sql[QUERY_COUNT] = {
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

    [QUERY_EVENT_PUT + FEED_USERS] = OUTBOX_PUT_USERS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_ACCOUNTS] = OUTBOX_PUT_ACCOUNTS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_SESSIONS] = OUTBOX_PUT_SESSIONS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_CATEGORIES] = OUTBOX_PUT_CATEGORIES " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_THREADS] = OUTBOX_PUT_THREADS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_POSTS] = OUTBOX_PUT_POSTS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_LIKES] = OUTBOX_PUT_LIKES " WHERE post_id = ?1 AND user_id = ?3",
    /* ?1 feed, ?2 time, ?3 aggregate, ?4 id as text */
    [QUERY_EVENT_DELETE] = "INSERT INTO outbox (feed, epoch, at_ms, body) SELECT ?1, epoch, ?2,"
                           " '\"op\":\"delete\",\"id\":' || json_quote(?4) FROM ownership"
                           " WHERE aggregate = ?3",
    [QUERY_OUTBOX_AFTER] = "SELECT seq, epoch, at_ms, body FROM outbox"
                           " WHERE feed = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    [QUERY_OUTBOX_LAST] = "SELECT coalesce(max(seq), 0) FROM outbox WHERE feed = ?1",
    [QUERY_OWNER] = "SELECT owner, epoch FROM ownership WHERE aggregate = ?1",
    [QUERY_OWNER_SET] = "UPDATE ownership SET owner = ?2, epoch = ?3 WHERE aggregate = ?1",
    [QUERY_CURSOR] = "SELECT seq FROM cursors WHERE feed = ?1 AND source = ?2",
    [QUERY_CURSOR_SET] = "INSERT INTO cursors (feed, source, seq) VALUES (?1, ?2, ?3)"
                         " ON CONFLICT (feed, source) DO UPDATE SET seq = excluded.seq",
    [QUERY_CURSORS] = "SELECT feed, source, seq FROM cursors ORDER BY feed, source",

    [QUERY_APPLY_PUT + FEED_USERS] =
        "INSERT INTO users (id, username, name, bio, created_ms) VALUES (" ROW_INTEGER(
            "id") ", " ROW_TEXT("username") ", " ROW_TEXT("name") ", " ROW_TEXT("bio") ","
                                                                                       " " ROW_INTEGER(
                                                                                           "created"
                                                                                           "_ms") ") ON CONFLICT "
                                                                                                  "(id) DO "
                                                                                                  "UPDATE SET "
                                                                                                  "username = "
                                                                                                  "excluded."
                                                                                                  "username,"
                                                                                                  " name = "
                                                                                                  "excluded.name,"
                                                                                                  " bio = "
                                                                                                  "excluded.bio, "
                                                                                                  "created_ms = "
                                                                                                  "excluded."
                                                                                                  "created_ms",
    [QUERY_APPLY_PUT + FEED_ACCOUNTS] =
        "INSERT INTO accounts (id, username, salt, hash, n, r, p) VALUES (" ROW_INTEGER(
            "i"
            "d") ", " ROW_TEXT("username") ", ?2, ?3, " ROW_INTEGER("n") ", " ROW_INTEGER("r") ","
                                                                                               " " ROW_INTEGER(
                                                                                                   "p") ") ON CONFLICT (id) DO "
                                                                                                        "UPDATE SET username = "
                                                                                                        "excluded.username,"
                                                                                                        " salt = excluded.salt, "
                                                                                                        "hash = excluded.hash, n "
                                                                                                        "= excluded.n, r = "
                                                                                                        "excluded.r,"
                                                                                                        " p = excluded.p",
    [QUERY_APPLY_PUT + FEED_SESSIONS] =
        "INSERT INTO sessions (id, user_id, created_ms, "
        "expires_ms) VALUES (" ROW_TEXT("id") ", " ROW_INTEGER(
            "use"
            "r") ", " ROW_INTEGER("created_ms") ", " ROW_INTEGER("expires_ms") ") "
                                                                               "ON "
                                                                               "CONF"
                                                                               "LICT"
                                                                               " ("
                                                                               "id) "
                                                                               "DO "
                                                                               "UPDA"
                                                                               "TE "
                                                                               "SET "
                                                                               "user"
                                                                               "_id "
                                                                               "= "
                                                                               "excl"
                                                                               "uded"
                                                                               ".use"
                                                                               "r_"
                                                                               "id,"
                                                                               " cre"
                                                                               "ated"
                                                                               "_ms "
                                                                               "= "
                                                                               "excl"
                                                                               "uded"
                                                                               ".cre"
                                                                               "ated"
                                                                               "_ms,"
                                                                               " exp"
                                                                               "ires"
                                                                               "_ms "
                                                                               "= "
                                                                               "excl"
                                                                               "uded"
                                                                               ".exp"
                                                                               "ires"
                                                                               "_ms",
    [QUERY_APPLY_PUT + FEED_CATEGORIES] =
        "INSERT INTO categories (id, slug, title, description, position) VALUES "
        "(" ROW_INTEGER("id") ", " ROW_TEXT("slug") ", " ROW_TEXT("title") ", " ROW_TEXT(
            "description") ", " ROW_INTEGER("position") ") ON "
                                                        "CONFLIC"
                                                        "T (id) "
                                                        "DO "
                                                        "UPDATE "
                                                        "SET"
                                                        " slug "
                                                        "= "
                                                        "exclude"
                                                        "d.slug,"
                                                        " title "
                                                        "= "
                                                        "exclude"
                                                        "d."
                                                        "title, "
                                                        "descrip"
                                                        "tion = "
                                                        "exclude"
                                                        "d."
                                                        "descrip"
                                                        "tion,"
                                                        " positi"
                                                        "on = "
                                                        "exclude"
                                                        "d."
                                                        "positio"
                                                        "n",
    [QUERY_APPLY_PUT + FEED_THREADS] =
        "INSERT INTO threads (id, title, created_by, category_id, created_ms) VALUES "
        "(" ROW_INTEGER("id") ", " ROW_TEXT("title") ", " ROW_INTEGER("createdBy") ", " ROW_INTEGER(
            "category") ", " ROW_INTEGER("created_ms") ")"
                                                       " "
                                                       "O"
                                                       "N"
                                                       " "
                                                       "C"
                                                       "O"
                                                       "N"
                                                       "F"
                                                       "L"
                                                       "I"
                                                       "C"
                                                       "T"
                                                       " "
                                                       "("
                                                       "i"
                                                       "d"
                                                       ")"
                                                       " "
                                                       "D"
                                                       "O"
                                                       " "
                                                       "U"
                                                       "P"
                                                       "D"
                                                       "A"
                                                       "T"
                                                       "E"
                                                       " "
                                                       "S"
                                                       "E"
                                                       "T"
                                                       " "
                                                       "t"
                                                       "i"
                                                       "t"
                                                       "l"
                                                       "e"
                                                       " "
                                                       "="
                                                       " "
                                                       "e"
                                                       "x"
                                                       "c"
                                                       "l"
                                                       "u"
                                                       "d"
                                                       "e"
                                                       "d"
                                                       "."
                                                       "t"
                                                       "i"
                                                       "t"
                                                       "l"
                                                       "e"
                                                       ","
                                                       " "
                                                       "c"
                                                       "r"
                                                       "e"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "d"
                                                       "_"
                                                       "b"
                                                       "y"
                                                       " "
                                                       "="
                                                       " "
                                                       "e"
                                                       "x"
                                                       "c"
                                                       "l"
                                                       "u"
                                                       "d"
                                                       "e"
                                                       "d"
                                                       "."
                                                       "c"
                                                       "r"
                                                       "e"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "d"
                                                       "_"
                                                       "b"
                                                       "y"
                                                       ","
                                                       " "
                                                       "c"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "g"
                                                       "o"
                                                       "r"
                                                       "y"
                                                       "_"
                                                       "i"
                                                       "d"
                                                       " "
                                                       "="
                                                       " "
                                                       "e"
                                                       "x"
                                                       "c"
                                                       "l"
                                                       "u"
                                                       "d"
                                                       "e"
                                                       "d"
                                                       "."
                                                       "c"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "g"
                                                       "o"
                                                       "r"
                                                       "y"
                                                       "_"
                                                       "i"
                                                       "d"
                                                       ","
                                                       " "
                                                       "c"
                                                       "r"
                                                       "e"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "d"
                                                       "_"
                                                       "m"
                                                       "s"
                                                       " "
                                                       "="
                                                       " "
                                                       "e"
                                                       "x"
                                                       "c"
                                                       "l"
                                                       "u"
                                                       "d"
                                                       "e"
                                                       "d"
                                                       "."
                                                       "c"
                                                       "r"
                                                       "e"
                                                       "a"
                                                       "t"
                                                       "e"
                                                       "d"
                                                       "_"
                                                       "m"
                                                       "s",
    [QUERY_APPLY_PUT + FEED_POSTS] =
        "INSERT INTO posts (id, thread_id, text, user_id, created_ms, edited_ms, "
        "deleted) VALUES (" ROW_INTEGER("id") ", " ROW_INTEGER("thread") ", " ROW_TEXT(
            "tex"
            "t") ", " ROW_INTEGER("user") ", " ROW_INTEGER("created_ms") ", " ROW_INTEGER("edited_"
                                                                                          "ms") ","
                                                                                                " " ROW_INTEGER(
                                                                                                    "deleted") ") "
                                                                                                               "ON"
                                                                                                               " C"
                                                                                                               "ON"
                                                                                                               "FL"
                                                                                                               "IC"
                                                                                                               "T "
                                                                                                               "(i"
                                                                                                               "d)"
                                                                                                               " D"
                                                                                                               "O "
                                                                                                               "UP"
                                                                                                               "DA"
                                                                                                               "TE"
                                                                                                               " S"
                                                                                                               "ET"
                                                                                                               " t"
                                                                                                               "hr"
                                                                                                               "ea"
                                                                                                               "d_"
                                                                                                               "id"
                                                                                                               " ="
                                                                                                               " e"
                                                                                                               "xc"
                                                                                                               "lu"
                                                                                                               "de"
                                                                                                               "d."
                                                                                                               "th"
                                                                                                               "re"
                                                                                                               "ad"
                                                                                                               "_i"
                                                                                                               "d,"
                                                                                                               " t"
                                                                                                               "ex"
                                                                                                               "t "
                                                                                                               "= "
                                                                                                               "ex"
                                                                                                               "cl"
                                                                                                               "ud"
                                                                                                               "ed"
                                                                                                               ".t"
                                                                                                               "ex"
                                                                                                               "t,"
                                                                                                               " u"
                                                                                                               "se"
                                                                                                               "r_"
                                                                                                               "id"
                                                                                                               " ="
                                                                                                               " e"
                                                                                                               "xc"
                                                                                                               "lu"
                                                                                                               "de"
                                                                                                               "d."
                                                                                                               "us"
                                                                                                               "er"
                                                                                                               "_i"
                                                                                                               "d,"
                                                                                                               " c"
                                                                                                               "re"
                                                                                                               "at"
                                                                                                               "ed"
                                                                                                               "_m"
                                                                                                               "s "
                                                                                                               "= "
                                                                                                               "ex"
                                                                                                               "cl"
                                                                                                               "ud"
                                                                                                               "ed"
                                                                                                               ".c"
                                                                                                               "re"
                                                                                                               "at"
                                                                                                               "ed"
                                                                                                               "_m"
                                                                                                               "s,"
                                                                                                               " e"
                                                                                                               "di"
                                                                                                               "te"
                                                                                                               "d_"
                                                                                                               "ms"
                                                                                                               " ="
                                                                                                               " e"
                                                                                                               "xc"
                                                                                                               "lu"
                                                                                                               "de"
                                                                                                               "d."
                                                                                                               "ed"
                                                                                                               "it"
                                                                                                               "ed"
                                                                                                               "_m"
                                                                                                               "s,"
                                                                                                               " d"
                                                                                                               "el"
                                                                                                               "et"
                                                                                                               "ed"
                                                                                                               " ="
                                                                                                               " e"
                                                                                                               "xc"
                                                                                                               "lu"
                                                                                                               "de"
                                                                                                               "d."
                                                                                                               "de"
                                                                                                               "le"
                                                                                                               "te"
                                                                                                               "d",
    [QUERY_APPLY_PUT + FEED_LIKES] =
        "INSERT INTO likes (post_id, user_id, created_ms) VALUES (" ROW_INTEGER(
            "post") ", " ROW_INTEGER("user") ", " ROW_INTEGER("created_ms") ") ON "
                                                                            "CONFLICT "
                                                                            "(post_id, "
                                                                            "user_id)"
                                                                            " DO "
                                                                            "UPDATE "
                                                                            "SET "
                                                                            "created_"
                                                                            "ms = "
                                                                            "excluded."
                                                                            "created_"
                                                                            "ms",

    /* ?1 the id as text */
    [QUERY_APPLY_DELETE + FEED_USERS] = "DELETE FROM users WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_ACCOUNTS] = "DELETE FROM accounts WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_SESSIONS] = "DELETE FROM sessions WHERE id = ?1",
    [QUERY_APPLY_DELETE + FEED_CATEGORIES] =
        "DELETE FROM categories WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_THREADS] = "DELETE FROM threads WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_POSTS] = "DELETE FROM posts WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_LIKES] =
        "DELETE FROM likes WHERE post_id = CAST(substr(?1, 1, instr(?1, ':') - 1) AS "
        "INTEGER)"
        " AND user_id = CAST(substr(?1, instr(?1, ':') + 1) AS INTEGER)",
};

const char *store_query_sql(enum query query)
{
    return query_sql[query];
}
