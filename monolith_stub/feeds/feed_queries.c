#include "monolith_stub/feeds/feed_queries.h"

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/feeds/outbox_sql.h"

static const char *const query_sql[QUERY_COUNT - QUERY_OF_FEEDS] = {
    [QUERY_EVENT_PUT + FEED_USERS - QUERY_OF_FEEDS] = OUTBOX_PUT_USERS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_ACCOUNTS - QUERY_OF_FEEDS] = OUTBOX_PUT_ACCOUNTS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_SESSIONS - QUERY_OF_FEEDS] = OUTBOX_PUT_SESSIONS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_CATEGORIES - QUERY_OF_FEEDS] = OUTBOX_PUT_CATEGORIES " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_THREADS - QUERY_OF_FEEDS] = OUTBOX_PUT_THREADS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_POSTS - QUERY_OF_FEEDS] = OUTBOX_PUT_POSTS " WHERE id = ?1",
    [QUERY_EVENT_PUT + FEED_LIKES - QUERY_OF_FEEDS] =
        OUTBOX_PUT_LIKES " WHERE post_id = ?1 AND user_id = ?3",
    /* ?1 feed, ?2 time, ?3 aggregate, ?4 id as text */
    [QUERY_EVENT_DELETE - QUERY_OF_FEEDS] =
        "INSERT INTO outbox (feed, epoch, at_ms, body) SELECT ?1, epoch, ?2,"
        " '\"op\":\"delete\",\"id\":' || json_quote(?4) FROM ownership"
        " WHERE aggregate = ?3",
    [QUERY_OUTBOX_AFTER - QUERY_OF_FEEDS] = "SELECT seq, epoch, at_ms, body FROM outbox"
                                            " WHERE feed = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    [QUERY_OUTBOX_LAST - QUERY_OF_FEEDS] =
        "SELECT coalesce(max(seq), 0) FROM outbox WHERE feed = ?1",
    [QUERY_OWNER - QUERY_OF_FEEDS] = "SELECT owner, epoch FROM ownership WHERE aggregate = ?1",
    [QUERY_OWNER_SET - QUERY_OF_FEEDS] =
        "UPDATE ownership SET owner = ?2, epoch = ?3 WHERE aggregate = ?1",
    [QUERY_CURSOR - QUERY_OF_FEEDS] = "SELECT seq FROM cursors WHERE feed = ?1 AND source = ?2",
    [QUERY_CURSOR_SET - QUERY_OF_FEEDS] =
        "INSERT INTO cursors (feed, source, seq) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (feed, source) DO UPDATE SET seq = excluded.seq",
    [QUERY_CURSORS - QUERY_OF_FEEDS] =
        "SELECT feed, source, seq FROM cursors ORDER BY feed, source",

    /* ?1 the event; of accounts also ?2 salt and ?3 hash */
    [QUERY_APPLY_PUT + FEED_USERS - QUERY_OF_FEEDS] =
        "INSERT INTO users (id, username, name, bio, created_ms)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.username', ?1 ->> '$.row.name', "
        "?1 ->> '$.row.bio', ?1 ->> '$.row.created_ms')"
        " ON CONFLICT (id) DO UPDATE SET"
        " username = excluded.username, name = excluded.name, bio = excluded.bio, "
        "created_ms = excluded.created_ms",
    [QUERY_APPLY_PUT + FEED_ACCOUNTS - QUERY_OF_FEEDS] =
        "INSERT INTO accounts (id, username, salt, hash, n, r, p)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.username', ?2, ?3, ?1 ->> '$.row.n', "
        "?1 ->> '$.row.r', ?1 ->> '$.row.p')"
        " ON CONFLICT (id) DO UPDATE SET"
        " username = excluded.username, salt = excluded.salt, hash = excluded.hash, "
        "n = excluded.n, r = excluded.r, p = excluded.p",
    [QUERY_APPLY_PUT + FEED_SESSIONS - QUERY_OF_FEEDS] =
        "INSERT INTO sessions (id, user_id, created_ms, expires_ms)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.user', ?1 ->> '$.row.created_ms', "
        "?1 ->> '$.row.expires_ms')"
        " ON CONFLICT (id) DO UPDATE SET"
        " user_id = excluded.user_id, created_ms = excluded.created_ms, "
        "expires_ms = excluded.expires_ms",
    [QUERY_APPLY_PUT + FEED_CATEGORIES - QUERY_OF_FEEDS] =
        "INSERT INTO categories (id, slug, title, description, position)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.slug', ?1 ->> '$.row.title', "
        "?1 ->> '$.row.description', ?1 ->> '$.row.position')"
        " ON CONFLICT (id) DO UPDATE SET"
        " slug = excluded.slug, title = excluded.title, "
        "description = excluded.description, position = excluded.position",
    [QUERY_APPLY_PUT + FEED_THREADS - QUERY_OF_FEEDS] =
        "INSERT INTO threads (id, title, created_by, category_id, created_ms)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.title', ?1 ->> '$.row.createdBy', "
        "?1 ->> '$.row.category', ?1 ->> '$.row.created_ms')"
        " ON CONFLICT (id) DO UPDATE SET"
        " title = excluded.title, created_by = excluded.created_by, "
        "category_id = excluded.category_id, created_ms = excluded.created_ms",
    [QUERY_APPLY_PUT + FEED_POSTS - QUERY_OF_FEEDS] =
        "INSERT INTO posts (id, thread_id, text, user_id, created_ms, edited_ms, deleted)"
        " VALUES (?1 ->> '$.row.id', ?1 ->> '$.row.thread', ?1 ->> '$.row.text', "
        "?1 ->> '$.row.user', ?1 ->> '$.row.created_ms', ?1 ->> '$.row.edited_ms', "
        "?1 ->> '$.row.deleted')"
        " ON CONFLICT (id) DO UPDATE SET"
        " thread_id = excluded.thread_id, text = excluded.text, "
        "user_id = excluded.user_id, created_ms = excluded.created_ms, "
        "edited_ms = excluded.edited_ms, deleted = excluded.deleted",
    [QUERY_APPLY_PUT + FEED_LIKES - QUERY_OF_FEEDS] =
        "INSERT INTO likes (post_id, user_id, created_ms)"
        " VALUES (?1 ->> '$.row.post', ?1 ->> '$.row.user', ?1 ->> '$.row.created_ms')"
        " ON CONFLICT (post_id, user_id) DO UPDATE SET"
        " created_ms = excluded.created_ms",

    /* ?1 the id as text */
    [QUERY_APPLY_DELETE + FEED_USERS - QUERY_OF_FEEDS] =
        "DELETE FROM users WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_ACCOUNTS - QUERY_OF_FEEDS] =
        "DELETE FROM accounts WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_SESSIONS - QUERY_OF_FEEDS] = "DELETE FROM sessions WHERE id = ?1",
    [QUERY_APPLY_DELETE + FEED_CATEGORIES - QUERY_OF_FEEDS] =
        "DELETE FROM categories WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_THREADS - QUERY_OF_FEEDS] =
        "DELETE FROM threads WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_POSTS - QUERY_OF_FEEDS] =
        "DELETE FROM posts WHERE id = CAST(?1 AS INTEGER)",
    [QUERY_APPLY_DELETE + FEED_LIKES - QUERY_OF_FEEDS] =
        "DELETE FROM likes WHERE post_id = CAST(substr(?1, 1, instr(?1, ':') - 1) AS "
        "INTEGER)"
        " AND user_id = CAST(substr(?1, instr(?1, ':') + 1) AS INTEGER)",

    [QUERY_ROWS + FEED_USERS - QUERY_OF_FEEDS] = ROWS_BY_ID(ROW_OF_USERS, "users"),
    [QUERY_ROWS + FEED_ACCOUNTS - QUERY_OF_FEEDS] = ROWS_BY_ID(ROW_OF_ACCOUNTS, "accounts"),
    /* x'' is after every text. */
    [QUERY_ROWS + FEED_SESSIONS - QUERY_OF_FEEDS] =
        "SELECT " ROW_OF_SESSIONS ", id FROM sessions WHERE id > coalesce(?1, '')"
        " AND id <= coalesce(?2, x'') ORDER BY id LIMIT ?3",
    [QUERY_ROWS + FEED_CATEGORIES - QUERY_OF_FEEDS] = ROWS_BY_ID(ROW_OF_CATEGORIES, "categories"),
    [QUERY_ROWS + FEED_THREADS - QUERY_OF_FEEDS] = ROWS_BY_ID(ROW_OF_THREADS, "threads"),
    [QUERY_ROWS + FEED_POSTS - QUERY_OF_FEEDS] = ROWS_BY_ID(ROW_OF_POSTS, "posts"),
    /* Ids are "POST:USER". */
    [QUERY_ROWS + FEED_LIKES - QUERY_OF_FEEDS] =
        "SELECT " ROW_OF_LIKES ", post_id || ':' || user_id FROM likes WHERE (post_id, user_id) >"
        " (coalesce(CAST(?1 AS INTEGER), -9223372036854775807),"
        " coalesce(CAST(substr(?1, instr(?1, ':') + 1) AS INTEGER), 0))"
        " AND (post_id, user_id) <= (coalesce(CAST(?2 AS INTEGER), 9223372036854775807),"
        " coalesce(CAST(substr(?2, instr(?2, ':') + 1) AS INTEGER), 9223372036854775807))"
        " ORDER BY post_id, user_id LIMIT ?3",
};

const char *feed_query_sql(enum query query)
{
    return query_sql[query - QUERY_OF_FEEDS];
}
