#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/feed_apply.h"
#include "extracted/service_kit/outbox.h"
#include "extracted/service_kit/ownership.h"
#include "extracted/service_kit/query_string.h"

enum { QUERY_PUT, QUERY_DELETE, QUERY_READ };

static const char *const schema[] = {
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, is_old INTEGER)",
};
static const char *const queries[] = {
    [QUERY_PUT] = "REPLACE INTO things (id, name, is_old) VALUES (?1, ?2, ?3)",
    [QUERY_DELETE] = "DELETE FROM things WHERE id = ?1",
    [QUERY_READ] = "SELECT id, is_old FROM things ORDER BY id",
};
static const struct database_plan plan = {schema, 1, queries, 3};
static const struct row_member members[] = {
    {"id", ROW_INTEGER}, {"name", ROW_TEXT}, {"old", ROW_BOOLEAN}};
static const struct row_member answer_members[] = {{"id", ROW_INTEGER}, {"old", ROW_BOOLEAN}};
static const struct row_shape shape = {members, 3};
static const struct row_shape answer_shape = {answer_members, 2};
static const struct feed feeds[] = {
    {"things", "things", &shape, QUERY_PUT, QUERY_DELETE, QUERY_READ}};
static const struct feed_plan feed_plan = {"things", feeds, 1};
static const struct feed_source source = {"legacy", "", false};

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

#define EVENT(seq, epoch, rest)                                                                    \
    "{\"seq\":" #seq ",\"feed\":\"things\",\"epoch\":" #epoch ",\"at_ms\":9," rest "}\n"
#define PUT(id) "\"op\":\"put\",\"id\":" #id ",\"row\":{\"id\":" #id ",\"name\":\"x\",\"old\":true}"
#define DELETE(id) "\"op\":\"delete\",\"id\":" #id

static const char *apply(struct database *database, const char *text, int64_t *ret_cursor)
{
    struct feed_batch batch = {.bytes = text, .length = strlen(text)};
    bool applied = feed_apply(database, &feed_plan, feeds, &source, &batch);
    assert_true(feed_cursor_read(database, feeds, &source, ret_cursor));
    assert_true(applied == (batch.fault == NULL));
    return batch.fault;
}

static void assert_things(struct database *database, const char *expected)
{
    struct http_reply reply;
    http_reply_init(&reply);
    row_reply_all(database, QUERY_READ, &answer_shape, &reply);
    assert_int_equal(reply.body.length, strlen(expected));
    assert_memory_equal(reply.body.bytes, expected, reply.body.length);
    http_reply_done(&reply);
}

static void a_batch_that_comes_twice_changes_nothing_the_second_time(void **state)
{
    static const char batch[] =
        EVENT(3, 1, PUT(1)) EVENT(4, 1, PUT(2)) EVENT(5, 1, DELETE(1)) EVENT(7, 1, DELETE(9));
    int64_t cursor;
    for (int i = 0; i < 2; i++) {
        assert_null(apply(*state, batch, &cursor));
        assert_int_equal(cursor, 7);
        assert_things(*state, "[{\"id\":2,\"old\":true}]");
    }
    assert_null(apply(*state, EVENT(6, 1, PUT(6)), &cursor));
    assert_int_equal(cursor, 7);
    assert_things(*state, "[{\"id\":2,\"old\":true}]");
}

static void a_batch_with_one_bad_line_changes_nothing(void **state)
{
    static const char *const bad[] = {
        EVENT(1, 1, PUT(1)) "nonsense\n",
        EVENT(1, 1, PUT(1)) EVENT(2, 1, "\"op\":\"put\",\"id\":1"),
        EVENT(1, 1, PUT(1)) EVENT(2, 1, "\"op\":\"put\",\"id\":1,\"row\":{\"id\":1}"),
        EVENT(1, 1, PUT(1)) EVENT(2, 1, "\"op\":\"delete\",\"id\":null"),
        EVENT(1, 1, PUT(1)) EVENT(2, 1, "\"op\":\"burn\",\"id\":1"),
        EVENT(1, 1, PUT(1)) EVENT(0, 1, DELETE(1)),
        EVENT(1, 1, PUT(1)) "{\"seq\":2",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t cursor = -1;
        assert_non_null(apply(*state, bad[i], &cursor));
        assert_int_equal(cursor, 0);
        assert_things(*state, "[]");
    }
}

static void an_owner_takes_no_event_older_than_its_ownership(void **state)
{
    int64_t cursor;
    const struct ownership ours = {.is_ours = true, .epoch = 4};
    struct ownership read;
    assert_true(ownership_read(*state, "things", &read));
    assert_false(read.is_ours);
    assert_int_equal(read.epoch, 1);
    assert_true(ownership_write(*state, "things", &ours));
    assert_null(apply(*state, EVENT(1, 3, PUT(1)) EVENT(2, 4, PUT(2)), &cursor));
    assert_int_equal(cursor, 2);
    assert_things(*state, "[{\"id\":2,\"old\":true}]");
}

static void ownership_moves_forward_only(void **state)
{
    (void)state;
    const struct ownership current = {.is_ours = false, .epoch = 5};
    const struct {
        struct ownership wanted;
        enum ownership_change outcome;
    } cases[] = {
        {{true, 6}, OWNERSHIP_CHANGED}, {{false, 6}, OWNERSHIP_CHANGED},
        {{false, 5}, OWNERSHIP_SAME},   {{true, 5}, OWNERSHIP_LATE},
        {{false, 4}, OWNERSHIP_LATE},   {{true, 4}, OWNERSHIP_LATE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ownership_compare(&current, &cases[i].wanted), cases[i].outcome);
}

static void an_event_goes_the_way_of_its_transaction(void **state)
{
    struct body_text out;
    int64_t last;
    struct ownership ownership;
    unsigned news = database_news(*state);
    assert_true(ownership_read(*state, "things", &ownership));
    for (int keep = 0; keep < 2; keep++) {
        assert_true(database_transaction_begin(*state));
        assert_true(outbox_put(*state, feeds, "1", "{\"id\":1}", 77));
        assert_true(outbox_delete(*state, feeds, "\"1:2\"", 78));
        assert_int_equal(database_transaction_end(*state, keep == 1), keep);
        assert_true(outbox_last(*state, feeds, &last));
        assert_true((last > 0) == (keep == 1));
    }
    assert_int_not_equal(database_news(*state), news);
    body_text_init(&out, 4096);
    assert_true(outbox_read(*state, feeds, (struct outbox_page){.limit = 9}, &out));
    body_text_add(&out, "", 1);
    assert_string_equal(out.bytes,
                        "{\"seq\":1,\"feed\":\"things\",\"epoch\":1,\"at_ms\":77,\"op\":\"put\","
                        "\"id\":1,\"row\":{\"id\":1}}\n"
                        "{\"seq\":2,\"feed\":\"things\",\"epoch\":1,\"at_ms\":78,"
                        "\"op\":\"delete\",\"id\":\"1:2\"}\n");
    body_text_done(&out);
}

static void the_end_of_a_feed_is_read_from_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t seq; /* -1: refused */
    } cases[] = {{"x-feed-last: 12\r\n", 12}, {"X-Feed-Last:0", 0},      {"x-feed-last:", -1},
                 {"x-feed-last: x", -1},      {"x-feed-lasts: 4", -1},   {"", -1},
                 {"x-feed-last: -4", -1},     {"x-feed-last:    7 ", 7}, {"x-feed", -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seq = -1;
        assert_true(feed_last_read(cases[i].line, strlen(cases[i].line), &seq) ==
                    (cases[i].seq >= 0));
        assert_int_equal(seq, cases[i].seq);
    }
}

static void values_come_out_of_a_query(void **state)
{
    (void)state;
    static const char text[] = "a=1&b&c=&=4&a=2&wait=2s&n=123456789012345&m=1234567890123456&z=0";
    const struct http_view query = {text, sizeof(text) - 1};
    struct http_view value;
    int64_t number;
    assert_true(query_find(query, "a", &value));
    assert_true(http_view_equals(value, "1"));
    assert_true(query_find(query, "b", &value));
    assert_int_equal(value.length, 0);
    assert_false(query_find(query, "d", &value));
    assert_true(query_number(query, "n", 0, &number));
    assert_int_equal(number, 123456789012345);
    assert_false(query_number(query, "m", 0, &number));
    assert_false(query_number(query, "c", 0, &number));
    assert_true(query_number(query, "q", 8, &number));
    assert_int_equal(number, 8);
    assert_true(query_duration_ms(query, "wait", &number));
    assert_int_equal(number, 2000);
    assert_true(query_duration_ms(query, "z", &number));
    assert_int_equal(number, 0);
    assert_false(query_duration_ms(query, "a", &number));
    assert_false(query_duration_ms(query, "m", &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_that_comes_twice_changes_nothing_the_second_time,
                                        open_things, close_things),
        cmocka_unit_test_setup_teardown(a_batch_with_one_bad_line_changes_nothing, open_things,
                                        close_things),
        cmocka_unit_test_setup_teardown(an_owner_takes_no_event_older_than_its_ownership,
                                        open_things, close_things),
        cmocka_unit_test(ownership_moves_forward_only),
        cmocka_unit_test_setup_teardown(an_event_goes_the_way_of_its_transaction, open_things,
                                        close_things),
        cmocka_unit_test(the_end_of_a_feed_is_read_from_its_field),
        cmocka_unit_test(values_come_out_of_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
