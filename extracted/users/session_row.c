#include "extracted/users/session_row.h"

#include <stdio.h>

#include "extracted/service_kit/cookies.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/session.h"
#include "extracted/users/users_queries.h"

static sqlite3_stmt *begin(struct database *database, enum users_query query, const char *hash)
{
    sqlite3_stmt *statement = database_begin(database, query);
    sqlite3_bind_text(statement, 1, hash, SESSION_HASH_LENGTH, SQLITE_STATIC);
    return statement;
}

static bool exists(struct database *database, const char *hash)
{
    sqlite3_stmt *row = begin(database, QUERY_SESSION, hash);
    bool found = database_next(row);
    return database_end(database, row) && found;
}

bool session_row_delete(struct database *database, const char *hash, int64_t now_ms)
{
    char id_json[SESSION_HASH_LENGTH + 3];
    if (!exists(database, hash))
        return true;
    snprintf(id_json, sizeof(id_json), "\"%s\"", hash);
    return database_run(database, begin(database, QUERY_DELETE_SESSION, hash)) &&
           outbox_delete(database, &users_feeds[FEED_SESSIONS], id_json, now_ms);
}

static bool sweep_one(struct database *database, int64_t now_ms)
{
    char hash[SESSION_HASH_LENGTH + 1] = "";
    size_t length;
    sqlite3_stmt *row = database_begin(database, QUERY_SESSION_EXPIRED);
    sqlite3_bind_int64(row, 1, now_ms);
    if (database_next(row))
        snprintf(hash, sizeof(hash), "%s", database_text(row, 0, &length));
    return database_end(database, row) &&
           (hash[0] == 0 || session_row_delete(database, hash, now_ms));
}

static bool insert(struct database *database, const char *hash, int64_t user, int64_t now_ms)
{
    sqlite3_stmt *query = begin(database, QUERY_PUT_SESSION, hash);
    sqlite3_bind_int64(query, 2, user);
    sqlite3_bind_int64(query, 3, now_ms);
    sqlite3_bind_int64(query, 4, now_ms + INT64_C(1000) * COOKIE_SID_LIFE_S);
    return database_run(database, query) &&
           outbox_put_row(database, &users_feeds[FEED_SESSIONS],
                          begin(database, QUERY_SESSION_EVENT, hash), now_ms);
}

bool session_row_add(struct database *database, int64_t user, int64_t now_ms, struct token *ret_sid)
{
    struct token sid;
    char hash[SESSION_HASH_LENGTH + 1];
    if (!token_new(&sid) || !session_hash((struct http_view){sid.text, TOKEN_LENGTH}, hash) ||
        !sweep_one(database, now_ms) || !insert(database, hash, user, now_ms))
        return false;
    *ret_sid = sid;
    return true;
}
