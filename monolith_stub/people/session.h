/*
 * Sessions as they are stored: by the hash of their token. Writes inside a transaction of the
 * writer, with their events.
 */
#ifndef MONOLITH_SESSION_H
#define MONOLITH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/people/token.h"
#include "monolith_stub/people/visitor.h"

struct store;

#define SESSION_LIFE_S (30 * 24 * 3600)

struct session {
    int64_t user;
    int64_t expires_ms;
    char username[VISITOR_NAME_BYTES];
};

enum session_found { SESSION_UNKNOWN, SESSION_KNOWN, SESSION_BROKEN };

/* An unexpired session. */
enum session_found session_find(struct store *store, const char *hash, struct session *ret_session);

/* Sets the username from our copy of the users; left empty if we have none. */
void session_read_username(struct store *store, struct session *session);

/* Makes a session and sweeps one that has expired. False: roll back. */
bool session_add(struct store *store, int64_t user, struct token *ret_sid);
bool session_delete(struct store *store, const char *hash);

#endif
