#include "monolith_stub/store_steps.h"

#include "monolith_stub/clock.h"
#include "monolith_stub/feeds/outbox_sql.h"
#include "monolith_stub/seed.h"

/* Nobody knows when the rows of face 1.0 were written: from 2024-01-01 on, in the order of ids.
 * AUTOINCREMENT, because an id that was ever used must not be used again, on either side.
 * No REFERENCES: rows of different aggregates may arrive from the other side in any order. */
const char store_step_face2[] =
    "CREATE TABLE new_users ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " bio TEXT NOT NULL, created_ms INTEGER NOT NULL);"
    "INSERT INTO new_users SELECT id, username, name, bio, 1704067200000 + id * 86400000"
    " FROM users;"
    "CREATE TABLE new_threads ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, created_by INTEGER NOT NULL,"
    " category_id INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "INSERT INTO new_threads SELECT id, title, created_by, 1, 1706745600000 + id * 3600000"
    " FROM threads;"
    "CREATE TABLE new_posts ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, thread_id INTEGER NOT NULL, text TEXT NOT NULL,"
    " user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL, edited_ms INTEGER,"
    " deleted INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO new_posts SELECT id, thread_id, text, user_id, 1707004800000 + id * 1020000,"
    " NULL, 0 FROM posts;"
    "DROP TABLE posts; DROP TABLE threads; DROP TABLE users;"
    "ALTER TABLE new_users RENAME TO users;"
    "ALTER TABLE new_threads RENAME TO threads;"
    "ALTER TABLE new_posts RENAME TO posts;"
    "CREATE INDEX posts_by_thread ON posts(thread_id, id);"
    "CREATE INDEX posts_by_user ON posts(user_id, id);"
    "CREATE INDEX threads_by_category ON threads(category_id, id);"
    "CREATE TABLE accounts ("
    " id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, salt BLOB NOT NULL,"
    " hash BLOB NOT NULL, n INTEGER NOT NULL, r INTEGER NOT NULL, p INTEGER NOT NULL);"
    "CREATE TABLE sessions ("
    " id TEXT PRIMARY KEY, user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX sessions_by_expiry ON sessions(expires_ms);"
    "CREATE TABLE categories ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,"
    " description TEXT NOT NULL, position INTEGER NOT NULL);"
    "CREATE TABLE likes ("
    " post_id INTEGER NOT NULL, user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " PRIMARY KEY (post_id, user_id)) WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE posts_search USING fts5(text, content='posts', content_rowid='id');"
    "INSERT INTO posts_search(posts_search) VALUES ('rebuild');"
    "CREATE TRIGGER posts_search_insert AFTER INSERT ON posts BEGIN"
    " INSERT INTO posts_search(rowid, text) VALUES (new.id, new.text); END;"
    "CREATE TRIGGER posts_search_delete AFTER DELETE ON posts BEGIN"
    " INSERT INTO posts_search(posts_search, rowid, text) VALUES ('delete', old.id, old.text);"
    " END;"
    "CREATE TRIGGER posts_search_update AFTER UPDATE OF text ON posts BEGIN"
    " INSERT INTO posts_search(posts_search, rowid, text) VALUES ('delete', old.id, old.text);"
    " INSERT INTO posts_search(rowid, text) VALUES (new.id, new.text); END;"
    "CREATE TABLE ownership ("
    " aggregate TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO ownership VALUES ('users', 'legacy', 1), ('threads', 'legacy', 1),"
    " ('posts', 'legacy', 1);"
    "CREATE TABLE outbox ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, feed TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE INDEX outbox_by_feed ON outbox(feed, seq);"
    "CREATE TABLE cursors ("
    " feed TEXT NOT NULL, source TEXT NOT NULL, seq INTEGER NOT NULL,"
    " PRIMARY KEY (feed, source)) WITHOUT ROWID;";

static bool add_events(struct store *store, const char *sql)
{
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &insert, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_int64(insert, 2, clock_wall_ms());
    bool added = store_run(insert);
    sqlite3_finalize(insert);
    return added;
}

bool store_step_face2_fill(struct store *store)
{
    static const char *const events[] = {
        OUTBOX_PUT_USERS " ORDER BY id",      OUTBOX_PUT_ACCOUNTS " ORDER BY id",
        OUTBOX_PUT_CATEGORIES " ORDER BY id", OUTBOX_PUT_THREADS " ORDER BY id",
        OUTBOX_PUT_POSTS " ORDER BY id",
    };
    if (!seed_fill_face2(store))
        return false;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (!add_events(store, events[i]))
            return false;
    }
    return true;
}
