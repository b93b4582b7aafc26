/*
 * The SQL that turns rows into events of the outbox: "event of every row of this table", to which
 * a WHERE may be added. One text serves both the writes (one row) and the schema's step that
 * gives an older database its events (all rows). ?1 is the id, ?2 the time in ms.
 * body is the tail of the event's JSON object; what comes before it are columns of the outbox.
 */
#ifndef MONOLITH_OUTBOX_SQL_H
#define MONOLITH_OUTBOX_SQL_H

/* The row of an event, as JSON. */
#define ROW_OF_USERS                                                                               \
    "json_object('id', id, 'username', username, 'name', name, 'bio', bio, 'created_ms',"          \
    " created_ms)"
#define ROW_OF_ACCOUNTS                                                                            \
    "json_object('id', id, 'username', username, 'salt', lower(hex(salt)), 'hash',"                \
    " lower(hex(hash)), 'n', n, 'r', r, 'p', p)"
#define ROW_OF_SESSIONS                                                                            \
    "json_object('id', id, 'user', user_id, 'created_ms', created_ms, 'expires_ms', expires_ms)"
#define ROW_OF_CATEGORIES                                                                          \
    "json_object('id', id, 'slug', slug, 'title', title, 'description', description,"              \
    " 'position', position)"
#define ROW_OF_THREADS                                                                             \
    "json_object('id', id, 'title', title, 'createdBy', created_by, 'category', category_id,"      \
    " 'created_ms', created_ms)"
#define ROW_OF_POSTS                                                                               \
    "json_object('id', id, 'thread', thread_id, 'user', user_id, 'text', text, 'created_ms',"      \
    " created_ms, 'edited_ms', edited_ms, 'deleted',"                                              \
    " json(CASE WHEN deleted THEN 'true' ELSE 'false' END))"
#define ROW_OF_LIKES "json_object('post', post_id, 'user', user_id, 'created_ms', created_ms)"

#define OUTBOX_PUT(feed, aggregate, id, row, table)                                                \
    "INSERT INTO outbox (feed, epoch, at_ms, body) SELECT '" feed "',"                             \
    " (SELECT epoch FROM ownership WHERE aggregate = '" aggregate "'), ?2,"                        \
    " '\"op\":\"put\",\"id\":' || " id " || ',\"row\":' || " row " FROM " table

#define OUTBOX_PUT_USERS OUTBOX_PUT("users", "users", "id", ROW_OF_USERS, "users")
#define OUTBOX_PUT_ACCOUNTS OUTBOX_PUT("accounts", "users", "id", ROW_OF_ACCOUNTS, "accounts")
#define OUTBOX_PUT_SESSIONS                                                                        \
    OUTBOX_PUT("sessions", "users", "json_quote(id)", ROW_OF_SESSIONS, "sessions")
#define OUTBOX_PUT_CATEGORIES                                                                      \
    OUTBOX_PUT("categories", "threads", "id", ROW_OF_CATEGORIES, "categories")
#define OUTBOX_PUT_THREADS OUTBOX_PUT("threads", "threads", "id", ROW_OF_THREADS, "threads")
#define OUTBOX_PUT_POSTS OUTBOX_PUT("posts", "posts", "id", ROW_OF_POSTS, "posts")
#define OUTBOX_PUT_LIKES                                                                           \
    OUTBOX_PUT("likes", "posts", "json_quote(post_id || ':' || user_id)", ROW_OF_LIKES, "likes")

/* Rows and their ids as text, after ?1 up to ?2 (NULL: no bound), by ascending id; ?3 how many. */
#define ROWS_BY_ID(row, table)                                                                     \
    "SELECT " row ", id FROM " table                                                               \
    " WHERE id > coalesce(CAST(?1 AS INTEGER), -9223372036854775807)"                              \
    " AND id <= coalesce(CAST(?2 AS INTEGER), 9223372036854775807) ORDER BY id LIMIT ?3"

#endif
