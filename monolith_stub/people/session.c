#include "monolith_stub/people/session.h"

#include <stdio.h>
#include <string.h>

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox.h"
#include "monolith_stub/store.h"

enum session_found session_find(struct store *store, const char *hash, struct session *ret_session)
{
    sqlite3_stmt *query = store_begin(store, QUERY_SESSION);
    store_bind_text(query, 1, hash, strlen(hash));
    bool found = store_next(query) && sqlite3_column_int64(query, 1) > clock_wall_ms();
    if (found) {
        size_t length = 0;
        const char *username = store_text(query, 2, &length);
        ret_session->user = sqlite3_column_int64(query, 0);
        ret_session->expires_ms = sqlite3_column_int64(query, 1);
        snprintf(ret_session->username, sizeof(ret_session->username), "%s", username);
    }
    if (!store_end(query))
        return SESSION_BROKEN;
    return found ? SESSION_KNOWN : SESSION_UNKNOWN;
}

void session_read_username(struct store *store, struct session *session)
{
    sqlite3_stmt *query = store_begin(store, QUERY_PROFILE);
    sqlite3_bind_int64(query, 1, session->user);
    if (store_next(query)) {
        size_t length = 0;
        snprintf(session->username, sizeof(session->username), "%s", store_text(query, 1, &length));
    }
    store_end(query);
}

bool session_delete(struct store *store, const char *hash)
{
    sqlite3_stmt *query = store_begin(store, QUERY_SESSION_DELETE);
    store_bind_text(query, 1, hash, strlen(hash));
    if (!store_run(query))
        return false;
    return sqlite3_changes(store->database) == 0 || outbox_delete_session(store, hash);
}

/* One old session for each new one keeps the table from growing for ever. */
static bool sweep_one(struct store *store, int64_t now_ms)
{
    struct token_hex hash = {0};
    sqlite3_stmt *query = store_begin(store, QUERY_SESSION_EXPIRED);
    sqlite3_bind_int64(query, 1, now_ms);
    if (store_next(query)) {
        size_t length = 0;
        snprintf(hash.text, sizeof(hash.text), "%s", store_text(query, 0, &length));
    }
    return store_end(query) && (hash.text[0] == 0 || session_delete(store, hash.text));
}

bool session_add(struct store *store, int64_t user, struct token *ret_sid)
{
    struct token_hex hash;
    int64_t now_ms = clock_wall_ms();
    if (!token_new(ret_sid) || !token_hash(ret_sid, &hash) || !sweep_one(store, now_ms))
        return false;
    sqlite3_stmt *query = store_begin(store, QUERY_SESSION_ADD);
    store_bind_text(query, 1, hash.text, strlen(hash.text));
    sqlite3_bind_int64(query, 2, user);
    sqlite3_bind_int64(query, 3, now_ms);
    sqlite3_bind_int64(query, 4, now_ms + (int64_t)SESSION_LIFE_S * 1000);
    return store_run(query) && outbox_put_session(store, hash.text);
}
