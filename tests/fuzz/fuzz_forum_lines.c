/*
 * NDJSON of other applications, as events of a feed and as an export, into a table: a batch is
 * taken wholly or not at all, twice is as once, and how the bytes were cut makes no difference. The
 * first byte chooses what they are, and where they are cut.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/feed_apply.h"
#include "extracted/service_kit/import_lines.h"
#include "proxy/core/check.h"

enum { QUERY_PUT, QUERY_DELETE, QUERY_IMPORT, QUERY_SUM, QUERY_CLEAR };

/* No rule that a row could break: what the database refuses is logged, and is not looked for. */
static const char *const schema[] = {
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, is_old INTEGER, year INTEGER)"};
static const char *const queries[] = {
    [QUERY_PUT] = "REPLACE INTO things (id, name, is_old, year) VALUES (?1, ?2, ?3, ?4)",
    [QUERY_DELETE] = "DELETE FROM things WHERE id = ?1",
    [QUERY_IMPORT] = "REPLACE INTO things (id, name, is_old, year) VALUES (?1, ?2, ?3, ?4)",
    [QUERY_SUM] = "SELECT count(*), total(id), total(length(name)), total(is_old) FROM things",
    [QUERY_CLEAR] = "DELETE FROM things",
};
static const struct database_plan plan = {schema, 1, queries, 5};
static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"name", ROW_TEXT}, {"old", ROW_BOOLEAN}, {"year", ROW_INTEGER_OR_NULL}};
static const struct row_shape shape = {members, 4};
static const struct feed feeds[] = {{.name = "things",
                                     .aggregate = "things",
                                     .shape = &shape,
                                     .put_query = QUERY_PUT,
                                     .delete_query = QUERY_DELETE}};
static const struct feed_plan feed_plan = {"things", feeds, 1};
static const struct feed_source source = {"legacy", "", false};

struct sum {
    double each[4];
    int64_t cursor;
};

static struct sum read_sum(struct database *database)
{
    struct sum sum = {.cursor = 0};
    sqlite3_stmt *row = database_begin(database, QUERY_SUM);
    CHECK(database_next(row));
    for (int i = 0; i < 4; i++)
        sum.each[i] = sqlite3_column_double(row, i);
    CHECK(database_end(database, row));
    CHECK(feed_cursor_read(database, feeds, &source, &sum.cursor));
    return sum;
}

static void check_same(const struct sum *one, const struct sum *other)
{
    CHECK(one->cursor == other->cursor);
    for (int i = 0; i < 4; i++)
        CHECK(one->each[i] == other->each[i]);
}

static void clear(struct database *database)
{
    sqlite3_stmt *query = database_begin(database, QUERY_CLEAR);
    CHECK(!database_next(query) && database_end(database, query));
    CHECK(feed_cursor_write(database, feeds, &source, 0));
}

static bool apply(struct database *database, const char *bytes, size_t length)
{
    struct feed_batch batch = {.bytes = bytes, .length = length};
    bool applied = feed_apply(database, &feed_plan, feeds, &source, &batch);
    CHECK(applied == (batch.fault == NULL));
    return applied;
}

static void check_feed(struct database *database, const char *bytes, size_t length)
{
    struct sum before = read_sum(database);
    bool applied = apply(database, bytes, length);
    struct sum after = read_sum(database);
    if (!applied) {
        check_same(&before, &after);
        return;
    }
    CHECK(after.cursor >= before.cursor);
    CHECK(apply(database, bytes, length));
    struct sum again = read_sum(database);
    check_same(&after, &again);
}

static bool import(struct database *database, const char *bytes, size_t length, size_t cut)
{
    struct import_lines lines;
    import_lines_init(&lines, database, QUERY_IMPORT, &shape);
    bool taken = import_lines_feed(&lines, bytes, cut) &&
                 import_lines_feed(&lines, bytes + cut, length - cut) &&
                 import_lines_finish(&lines);
    CHECK(taken == (lines.fault == NULL));
    import_lines_done(&lines);
    return taken;
}

static void check_import(struct database *database, const char *bytes, size_t length, size_t cut)
{
    bool taken = import(database, bytes, length, 0);
    struct sum whole = read_sum(database);
    clear(database);
    CHECK(import(database, bytes, length, cut % (length + 1)) == taken);
    struct sum pieces = read_sum(database);
    check_same(&whole, &pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct database *database;
    if (database == NULL)
        database = database_open("fuzz", ":memory:", &plan);
    CHECK(database != NULL);
    if (size == 0)
        return 0;
    clear(database);
    const char *bytes = (const char *)data + 1;
    if (data[0] % 2 == 0)
        check_feed(database, bytes, size - 1);
    else
        check_import(database, bytes, size - 1, data[0] / 2u);
    return 0;
}
