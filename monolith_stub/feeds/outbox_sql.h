/*
 * The SQL that turns rows into events of the outbox: "event of every row of this table", to which
 * a WHERE may be added. One text serves both the writes (one row) and the schema's step that
 * gives an older database its events (all rows). ?1 is the id, ?2 the time in ms.
 * body is the tail of the event's JSON object; what comes before it are columns of the outbox.
 */
#ifndef MONOLITH_OUTBOX_SQL_H
#define MONOLITH_OUTBOX_SQL_H

#define OUTBOX_PUT(feed, aggregate, id, row, table)                                                \
    "INSERT INTO outbox (feed, epoch, at_ms, body) SELECT '" feed "',"                             \
    " (SELECT epoch FROM ownership WHERE aggregate = '" aggregate "'), ?2,"                        \
    " '\"op\":\"put\",\"id\":' || " id " || ',\"row\":' || json_object(" row ") FROM " table

#define OUTBOX_PUT_USERS                                                                           \
    OUTBOX_PUT("users", "users", "id",                                                             \
               "'id', id, 'username', username, 'name', name, 'bio', bio, 'created_ms',"           \
               " created_ms",                                                                      \
               "users")
#define OUTBOX_PUT_ACCOUNTS                                                                        \
    OUTBOX_PUT("accounts", "users", "id",                                                          \
               "'id', id, 'username', username, 'salt', lower(hex(salt)), 'hash',"                 \
               " lower(hex(hash)), 'n', n, 'r', r, 'p', p",                                        \
               "accounts")
#define OUTBOX_PUT_SESSIONS                                                                        \
    OUTBOX_PUT("sessions", "users", "json_quote(id)",                                              \
               "'id', id, 'user', user_id, 'created_ms', created_ms, 'expires_ms', expires_ms",    \
               "sessions")
#define OUTBOX_PUT_CATEGORIES                                                                      \
    OUTBOX_PUT("categories", "threads", "id",                                                      \
               "'id', id, 'slug', slug, 'title', title, 'description', description,"               \
               " 'position', position",                                                            \
               "categories")
#define OUTBOX_PUT_THREADS                                                                         \
    OUTBOX_PUT("threads", "threads", "id",                                                         \
               "'id', id, 'title', title, 'createdBy', created_by, 'category', category_id,"       \
               " 'created_ms', created_ms",                                                        \
               "threads")
#define OUTBOX_PUT_POSTS                                                                           \
    OUTBOX_PUT("posts", "posts", "id",                                                             \
               "'id', id, 'thread', thread_id, 'user', user_id, 'text', text, 'created_ms',"       \
               " created_ms, 'edited_ms', edited_ms, 'deleted',"                                   \
               " json(CASE WHEN deleted THEN 'true' ELSE 'false' END)",                            \
               "posts")
#define OUTBOX_PUT_LIKES                                                                           \
    OUTBOX_PUT("likes", "posts", "json_quote(post_id || ':' || user_id)",                          \
               "'post', post_id, 'user', user_id, 'created_ms', created_ms", "likes")

#endif
