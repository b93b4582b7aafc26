#include "proxy/control/mismatch_queries.h"

#include <string.h>

#include "proxy/compare/difference.h"
#include "proxy/compare/html_selector.h"
#include "proxy/compare/path_pattern.h"

/* 64 MiB: 16 384 pages of 4 KiB. */
const char mismatch_pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                "PRAGMA foreign_keys = ON; PRAGMA max_page_count = 16384;";

const char mismatch_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS mismatch("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, module TEXT NOT NULL, path TEXT NOT NULL,"
    " field TEXT NOT NULL, kind INTEGER NOT NULL, count INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " accepted_ms INTEGER, accepted_who TEXT, accepted_why TEXT,"
    " UNIQUE(module, path, field, kind));"
    "CREATE TABLE IF NOT EXISTS example("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " mismatch INTEGER NOT NULL REFERENCES mismatch(id) ON DELETE CASCADE,"
    " at_ms INTEGER NOT NULL, route TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,"
    " request_id TEXT NOT NULL,"
    " first_status INTEGER, first_head TEXT, first_body BLOB, first_excerpt TEXT,"
    " second_status INTEGER, second_head TEXT, second_body BLOB, second_excerpt TEXT);"
    "CREATE INDEX IF NOT EXISTS example_by_mismatch ON example(mismatch, id);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

#define GROUP_COLUMNS                                                                              \
    "id, module, path, field, kind, count, first_ms, last_ms, accepted_ms, accepted_who,"          \
    " accepted_why"

static const char *const queries[MISMATCH_QUERY_COUNT] = {
    [MISMATCH_ACCEPTED] =
        "SELECT module, path, field, kind FROM mismatch WHERE accepted_ms IS NOT NULL",
    [MISMATCH_COUNT] = "UPDATE mismatch SET count = count + 1, last_ms = ?5"
                       " WHERE module = ?1 AND path = ?2 AND field = ?3 AND kind = ?4 RETURNING id",
    /* While there is room. */
    [MISMATCH_ADD] = "INSERT INTO mismatch(module, path, field, kind, count, first_ms, last_ms)"
                     " SELECT ?1, ?2, ?3, ?4, 1, ?5, ?5"
                     " WHERE (SELECT count(*) FROM mismatch) < ?6 RETURNING id",
    /* Those that nobody has seen for longest; what is accepted stays. */
    [MISMATCH_FORGET] = "DELETE FROM mismatch WHERE id IN (SELECT id FROM mismatch"
                        " WHERE accepted_ms IS NULL ORDER BY last_ms, id LIMIT ?)",
    [MISMATCH_INSERT_EXAMPLE] =
        "INSERT INTO example(mismatch, at_ms, route, method, path, request_id, first_status,"
        " first_head, first_body, first_excerpt, second_status, second_head, second_body,"
        " second_excerpt) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    /* The first stays, and the newest. */
    [MISMATCH_TRIM_GROUP] =
        "DELETE FROM example WHERE mismatch = ?1"
        " AND id <> (SELECT min(id) FROM example WHERE mismatch = ?1)"
        " AND id NOT IN (SELECT id FROM example WHERE mismatch = ?1 ORDER BY id DESC"
        " LIMIT ?2 - 1)",
    [MISMATCH_TRIM_ALL] =
        "DELETE FROM example WHERE id IN (SELECT id FROM example ORDER BY id LIMIT ?)",
    [MISMATCH_PAGES] = "SELECT page_count - freelist_count FROM pragma_page_count,"
                       " pragma_freelist_count",
    [MISMATCH_LIST] = "SELECT " GROUP_COLUMNS " FROM mismatch WHERE ?1 = '' OR module = ?1"
                      " ORDER BY accepted_ms IS NOT NULL, count DESC, id LIMIT ?2",
    [MISMATCH_SHOW] = "SELECT " GROUP_COLUMNS " FROM mismatch WHERE id = ?",
    [MISMATCH_EXAMPLES_OF] =
        "SELECT at_ms, route, method, path, request_id, first_status, first_head, first_body,"
        " first_excerpt, second_status, second_head, second_body, second_excerpt"
        " FROM example WHERE mismatch = ? ORDER BY id DESC",
    [MISMATCH_ACCEPT] = "UPDATE mismatch SET accepted_who = ?2, accepted_why = ?3,"
                        " accepted_ms = ?4 WHERE id = ?1 RETURNING module, path, field, kind",
};

sqlite3_stmt *mismatch_prepare(sqlite3 *database, enum mismatch_query query)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, queries[query], -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    return statement;
}

/* Text that came from a backend: what is no UTF-8 is shown as its bytes in Latin-1. */
static json_t *text_json(sqlite3_stmt *row, int column)
{
    const char *bytes = sqlite3_column_blob(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    json_t *text = json_stringn(bytes != NULL ? bytes : "", length);
    if (text != NULL)
        return text;
    char *copy = sqlite3_malloc64(2 * length + 1);
    size_t used = 0;
    for (size_t i = 0; copy != NULL && i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x80)
            copy[used++] = (char)(0xc0 | c >> 6);
        copy[used++] = c >= 0x80 ? (char)(0x80 | (c & 0x3f)) : (char)c;
    }
    text = json_stringn(copy != NULL ? copy : "", used);
    sqlite3_free(copy);
    return text;
}

/* A place in JSON, written as the files want it; null for one that they cannot name. */
static json_t *suggest_place(const char *field)
{
    struct path_pattern pattern;
    const char *fault;
    size_t offset;
    if (strpbrk(field, "\"\\") != NULL ||
        !path_pattern_compile(strview_of(field), &pattern, &fault, &offset))
        return json_null();
    return json_sprintf("ignore = [ \"%s\" ];", field);
}

/* The innermost element of "html: main > p.by @title". */
static json_t *suggest_element(const char *field)
{
    const char *last = strrchr(field, '>');
    const char *element = last != NULL ? last + 1 : field + strlen("html:");
    element += strspn(element, " ");
    struct strview selector = strview_make(element, strcspn(element, " "));
    struct html_selector compiled;
    const char *fault;
    if (strpbrk(field, "\"\\") != NULL || !html_selector_compile(selector, &compiled, &fault))
        return json_null();
    return json_sprintf("ignore = [ \"html:%.*s\" ];", STRVIEW_ARGS(selector));
}

/* The line for `compare: { … };` that would make this difference none. */
static json_t *suggestion(sqlite3_stmt *row)
{
    const char *field = (const char *)sqlite3_column_text(row, 3);
    if (field[0] == '$')
        return suggest_place(field);
    if (strncmp(field, "html:", 5) == 0)
        return suggest_element(field);
    if (strncmp(field, "header:", 7) == 0)
        return json_sprintf("ignore = [ \"%s\" ];", field);
    return strcmp(field, "status") == 0 ? json_string("status = false;") : json_null();
}

static json_t *accepted_json(sqlite3_stmt *row)
{
    if (sqlite3_column_type(row, 8) == SQLITE_NULL)
        return json_false();
    return json_pack("{s:I, s:o, s:o}", "at_ms", (json_int_t)sqlite3_column_int64(row, 8), "who",
                     text_json(row, 9), "why", text_json(row, 10));
}

json_t *mismatch_group_json(sqlite3_stmt *row)
{
    struct strview kind = difference_kind_name((enum difference_kind)sqlite3_column_int(row, 4));
    return json_pack("{s:I, s:o, s:o, s:o, s:s%, s:I, s:I, s:I, s:o, s:o}", "id",
                     (json_int_t)sqlite3_column_int64(row, 0), "module", text_json(row, 1), "path",
                     text_json(row, 2), "field", text_json(row, 3), "kind", kind.data, kind.length,
                     "count", (json_int_t)sqlite3_column_int64(row, 5), "first_seen_ms",
                     (json_int_t)sqlite3_column_int64(row, 6), "last_seen_ms",
                     (json_int_t)sqlite3_column_int64(row, 7), "accepted", accepted_json(row),
                     "suggestion", suggestion(row));
}

static json_t *side_json(sqlite3_stmt *row, int column)
{
    return json_pack("{s:i, s:o, s:o, s:o}", "status", sqlite3_column_int(row, column), "head",
                     text_json(row, column + 1), "body", text_json(row, column + 2), "excerpt",
                     text_json(row, column + 3));
}

json_t *mismatch_example_json(sqlite3_stmt *row)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "at_ms",
                     (json_int_t)sqlite3_column_int64(row, 0), "route", text_json(row, 1), "method",
                     text_json(row, 2), "path", text_json(row, 3), "request_id", text_json(row, 4),
                     "first", side_json(row, 5), "second", side_json(row, 9));
}
