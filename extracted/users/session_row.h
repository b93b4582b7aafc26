/*
 * Sessions as they are stored: by the hash of their token. Both functions stand inside a
 * transaction, and store the events as well. The loop's thread.
 */
#ifndef USERS_SESSION_ROW_H
#define USERS_SESSION_ROW_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/token.h"

/* Makes a session, and sweeps one that is over: so the table does not grow for ever. False: roll
 * back. */
bool session_row_add(struct database *database, int64_t user, int64_t now_ms,
                     struct token *ret_sid);

/* A session that is not there is no fault. False: roll back. */
bool session_row_delete(struct database *database, const char *hash, int64_t now_ms);

#endif
