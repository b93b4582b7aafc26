/*
 * Copies of rows that belong to others: who people are, and their sessions. A service that needs
 * them puts the texts into its schema and its queries, and the feeds into its plan.
 * Rows come from two sides and at a change of owner in any order: the newer epoch stays.
 */
#ifndef SERVICE_KIT_REPLICA_H
#define SERVICE_KIT_REPLICA_H

#include "extracted/service_kit/feed.h"

#define REPLICA_PEOPLE_SCHEMA                                                                      \
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL, epoch INTEGER NOT NULL);" \
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id INTEGER NOT NULL,"                        \
    " expires_ms INTEGER NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;"

#define REPLICA_PUT_USER                                                                           \
    "INSERT INTO users (id, username, epoch) VALUES (?1, ?2, ?3)"                                  \
    " ON CONFLICT (id) DO UPDATE SET username = ?2, epoch = ?3 WHERE ?3 >= epoch"
#define REPLICA_DELETE_USER "DELETE FROM users WHERE id = ?1 AND epoch <= ?2"
#define REPLICA_PUT_SESSION                                                                        \
    "INSERT INTO sessions (id, user_id, expires_ms, epoch) VALUES (?1, ?2, ?3, ?4)"                \
    " ON CONFLICT (id) DO UPDATE SET user_id = ?2, expires_ms = ?3, epoch = ?4"                    \
    " WHERE ?4 >= epoch"
#define REPLICA_DELETE_SESSION "DELETE FROM sessions WHERE id = ?1 AND epoch <= ?2"

extern const struct row_shape replica_user_shape;    /* id, username */
extern const struct row_shape replica_session_shape; /* id, user, expires_ms */

#endif
