#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/import_lines.h"

enum { QUERY_INSERT, QUERY_READ };

static const char *const schema[] = {
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
};
static const char *const queries[] = {
    [QUERY_INSERT] = "INSERT INTO things (id, name) VALUES (?1, ?2)",
    [QUERY_READ] = "SELECT id, name FROM things ORDER BY id",
};
static const struct database_plan plan = {schema, 1, queries, 2};
static const struct row_member members[] = {{"id", ROW_INTEGER}, {"name", ROW_TEXT}};
static const struct row_shape shape = {members, 2};

static int open_things(void **state)
{
    *state = database_open("test", ":memory:", &plan);
    return *state == NULL;
}

static int close_things(void **state)
{
    database_close(*state);
    return 0;
}

static void assert_things(struct database *database, const char *expected)
{
    struct http_reply reply;
    http_reply_init(&reply);
    row_reply_all(database, QUERY_READ, &shape, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.length, strlen(expected));
    assert_memory_equal(reply.body.bytes, expected, reply.body.length);
    http_reply_done(&reply);
}

static void assert_fault(void **state, const char *bytes, const char *fault)
{
    struct import_lines lines;
    import_lines_init(&lines, *state, QUERY_INSERT, &shape);
    if (import_lines_feed(&lines, bytes, strlen(bytes)))
        assert_false(import_lines_finish(&lines));
    assert_string_equal(lines.fault, fault);
    assert_false(import_lines_feed(&lines, bytes, strlen(bytes)));
    import_lines_done(&lines);
}

static void rows_arrive_however_the_bytes_are_cut(void **state)
{
    static const char bytes[] = "{\"id\":1,\"name\":\"a\\\"b\"}\n"
                                "{\"name\":\"\xc3\xa9\\u0000!\",\"more\":[],\"id\":22}\n";
    for (size_t cut = 1; cut < sizeof(bytes); cut++) {
        struct import_lines lines;
        import_lines_init(&lines, *state, QUERY_INSERT, &shape);
        for (size_t at = 0; at < sizeof(bytes) - 1; at += cut) {
            size_t left = sizeof(bytes) - 1 - at;
            assert_true(import_lines_feed(&lines, bytes + at, left < cut ? left : cut));
        }
        assert_true(import_lines_finish(&lines));
        assert_int_equal(lines.rows, 2);
        import_lines_done(&lines);
        assert_things(*state, "[{\"id\":1,\"name\":\"a\\\"b\"},"
                              "{\"id\":22,\"name\":\"\xc3\xa9\\u0000!\"}]");
        assert_true(database_execute(*state, "DELETE FROM things"));
    }
}

static void a_bad_line_says_what_is_wrong(void **state)
{
    assert_fault(state, "{\"id\":1,\"name\":\"a\"", "not ended");
    assert_fault(state, "nonsense\n", "not JSON");
    assert_fault(state, "\n", "not JSON");
    assert_fault(state, "{\"id\":1,\"id\":2,\"name\":\"a\"}\n", "not JSON");
    assert_fault(state, "{\"id\":1,\"name\":\"\xff\"}\n", "not JSON");
    assert_fault(state, "{\"id\":1}\n", "a member is missing or of another type");
    assert_fault(state, "[1,2]\n", "a member is missing or of another type");
    assert_fault(state, "{\"id\":\"1\",\"name\":\"a\"}\n",
                 "a member is missing or of another type");
    assert_fault(state, "{\"id\":1,\"name\":\"a\"}\n{\"id\":1,\"name\":\"b\"}\n",
                 "the database does not take it");
}

static void a_line_without_end_is_not_collected_for_ever(void **state)
{
    struct import_lines lines;
    char piece[4096];
    size_t fed = 0;
    memset(piece, 'a', sizeof(piece));
    import_lines_init(&lines, *state, QUERY_INSERT, &shape);
    while (fed <= 2 * IMPORT_LINE_LIMIT && import_lines_feed(&lines, piece, sizeof(piece)))
        fed += sizeof(piece);
    assert_int_equal(fed, IMPORT_LINE_LIMIT);
    assert_string_equal(lines.fault, "too long");
    import_lines_done(&lines);
}

static void facts_are_remembered_and_replaced(void **state)
{
    sqlite3_int64 value = -1;
    assert_false(database_fact_read(*state, "answer", &value));
    assert_int_equal(value, -1);
    assert_true(database_fact_write(*state, "answer", 41));
    assert_true(database_fact_write(*state, "answer", 42));
    assert_true(database_fact_read(*state, "answer", &value));
    assert_int_equal(value, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_arrive_however_the_bytes_are_cut, open_things,
                                        close_things),
        cmocka_unit_test_setup_teardown(a_bad_line_says_what_is_wrong, open_things, close_things),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_not_collected_for_ever, open_things,
                                        close_things),
        cmocka_unit_test_setup_teardown(facts_are_remembered_and_replaced, open_things,
                                        close_things),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
