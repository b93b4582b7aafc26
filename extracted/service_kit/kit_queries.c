#include "extracted/service_kit/kit_queries.h"

/* The sequence of the outbox never goes back, not even when its last events were removed. */
const char kit_schema[] =
    "CREATE TABLE IF NOT EXISTS service_facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ownership (aggregate TEXT PRIMARY KEY, owner TEXT NOT NULL,"
    " epoch INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " feed TEXT NOT NULL, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS outbox_of_feed ON outbox(feed, seq);"
    "CREATE TABLE IF NOT EXISTS cursors (feed TEXT NOT NULL, source TEXT NOT NULL,"
    " seq INTEGER NOT NULL, PRIMARY KEY (feed, source)) WITHOUT ROWID;";

static const char *const sql[KIT_QUERY_COUNT] = {
    [KIT_OWNER_ADD] =
        "INSERT OR IGNORE INTO ownership (aggregate, owner, epoch) VALUES (?1, 'legacy', 1)",
    [KIT_OWNER_READ] = "SELECT owner, epoch FROM ownership WHERE aggregate = ?1",
    [KIT_OWNER_WRITE] = "UPDATE ownership SET owner = ?2, epoch = ?3 WHERE aggregate = ?1",
    [KIT_OUTBOX_ADD] = "INSERT INTO outbox (feed, epoch, at_ms, body)"
                       " SELECT ?1, epoch, ?3, ?4 FROM ownership WHERE aggregate = ?2",
    [KIT_OUTBOX_AFTER] = "SELECT seq, epoch, at_ms, body FROM outbox WHERE feed = ?1 AND seq > ?2"
                         " ORDER BY seq LIMIT ?3",
    [KIT_OUTBOX_LAST] = "SELECT coalesce(max(seq), 0) FROM outbox WHERE feed = ?1",
    [KIT_CURSOR_READ] = "SELECT seq FROM cursors WHERE feed = ?1 AND source = ?2",
    [KIT_CURSOR_WRITE] = "REPLACE INTO cursors (feed, source, seq) VALUES (?1, ?2, ?3)",
};

const char *kit_query_sql(enum kit_query query)
{
    return sql[query];
}
