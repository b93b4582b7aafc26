#include "extracted/users/users_queries.h"

#include "extracted/service_kit/feed_rows.h"

const char *const users_queries[USERS_QUERY_COUNT] = {
    [QUERY_ALL] = "SELECT id, username, name, bio FROM users ORDER BY id",
    [QUERY_ONE] = "SELECT id, username, name, bio FROM users WHERE id = ?1",
    [QUERY_IMPORT] = "INSERT INTO users (id, username, name, bio) VALUES (?1, ?2, ?3, ?4)",
    [QUERY_PUT_USER] =
        "INSERT INTO users (id, username, name, bio, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (id) DO UPDATE SET username = ?2, name = ?3, bio = ?4, created_ms = ?5",
    [QUERY_DELETE_USER] = "DELETE FROM users WHERE id = ?1",
    [QUERY_PUT_ACCOUNT] =
        "INSERT INTO accounts (id, username, salt, hash, n, r, p)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET username = ?2,"
        " salt = ?3, hash = ?4, n = ?5, r = ?6, p = ?7",
    [QUERY_DELETE_ACCOUNT] = "DELETE FROM accounts WHERE id = ?1",
    [QUERY_PUT_SESSION] =
        "INSERT INTO sessions (id, user_id, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (id) DO UPDATE SET user_id = ?2, created_ms = ?3, expires_ms = ?4",
    [QUERY_DELETE_SESSION] = "DELETE FROM sessions WHERE id = ?1",
    [QUERY_SESSION] = "SELECT user_id, expires_ms FROM sessions WHERE id = ?1",
    [QUERY_USERNAME] = "SELECT username FROM users WHERE id = ?1",
    [QUERY_PROFILE] = "SELECT id, username, name, bio, created_ms FROM users WHERE id = ?1",
    [QUERY_USERNAME_TAKEN] = "SELECT 1 FROM users WHERE username = ?1"
                             " UNION ALL SELECT 1 FROM accounts WHERE username = ?1",
    [QUERY_USER_ADD] = "INSERT INTO users (username, name, bio, created_ms)"
                       " VALUES (?1, ?2, '', ?3) RETURNING id",
    [QUERY_USER_EDIT] = "UPDATE users SET name = coalesce(?2, name), bio = coalesce(?3, bio)"
                        " WHERE id = ?1",
    [QUERY_USER_EVENT] =
        "SELECT json_quote(id), json_object('id', id, 'username', username, 'name', name,"
        " 'bio', bio, 'created_ms', created_ms) FROM users WHERE id = ?1",
    [QUERY_ACCOUNT] = "SELECT id, salt, hash, n, r, p FROM accounts WHERE username = ?1",
    [QUERY_ACCOUNT_EVENT] =
        "SELECT json_quote(id), json_object('id', id, 'username', username, 'salt', salt,"
        " 'hash', hash, 'n', n, 'r', r, 'p', p) FROM accounts WHERE id = ?1",
    [QUERY_SESSION_EVENT] =
        "SELECT json_quote(id), json_object('id', id, 'user', user_id, 'created_ms', created_ms,"
        " 'expires_ms', expires_ms) FROM sessions WHERE id = ?1",
    [QUERY_SESSION_EXPIRED] = "SELECT id FROM sessions WHERE expires_ms < ?1 LIMIT 1",
    [QUERY_USER_ROWS] = "SELECT id, username, name, bio, created_ms, id FROM users" FEED_ROWS_BY_ID,
    [QUERY_ACCOUNT_ROWS] =
        "SELECT id, username, salt, hash, n, r, p, id FROM accounts" FEED_ROWS_BY_ID,
    /* x'' is after every text. */
    [QUERY_SESSION_ROWS] = "SELECT id, user_id, created_ms, expires_ms, id FROM sessions"
                           " WHERE id > coalesce(?1, '') AND id <= coalesce(?2, x'')"
                           " ORDER BY id LIMIT ?3",
};
