#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "proxy/control/mismatch_store.h"
#include "tests/unit/control/state_folder.h"

static struct state_folder folder;
static struct mismatch_store *store;
static uint64_t now_ms;

static void open_store(void)
{
    struct fault fault;
    store = mismatch_store_open(folder.path, &fault);
    assert_non_null(store);
}

static int begin(void **state)
{
    (void)state;
    state_folder_init(&folder);
    now_ms = 1000;
    open_store();
    return 0;
}

static int end(void **state)
{
    (void)state;
    mismatch_store_close(store);
    state_folder_done(&folder);
    return 0;
}

static struct difference_group group_of(const char *path, const char *field)
{
    return (struct difference_group){STRVIEW("users"), strview_of(path), strview_of(field),
                                     DIFFERENCE_VALUE};
}

static void record_body(const char *path, const char *field, const char *body)
{
    struct difference_example example = {
        .group = group_of(path, field),
        .route = STRVIEW("api"),
        .method = STRVIEW("GET"),
        .path = strview_of(path),
        .request_id = STRVIEW("1"),
        .unix_ms = now_ms++,
        .first = {200, STRVIEW("a: b\n"), strview_of(body), STRVIEW("x")},
        .second = {200, STRVIEW("a: b\n"), STRVIEW("{}"), STRVIEW("y")},
    };
    const struct difference_store *interface = mismatch_store_interface(store);
    interface->record(interface->context, &example);
}

static void record(const char *path, const char *field)
{
    record_body(path, field, "{}");
}

static bool is_accepted(const char *path, const char *field)
{
    const struct difference_store *interface = mismatch_store_interface(store);
    const struct difference_group group = group_of(path, field);
    return interface->is_accepted(interface->context, &group);
}

static json_t *list(const char *module)
{
    struct fault fault;
    json_t *rows = mismatch_store_list(store, strview_of(module), MISMATCH_GROUPS_MAX, &fault);
    assert_non_null(rows);
    return rows;
}

static json_t *show(uint64_t id)
{
    struct fault fault;
    json_t *mismatch = mismatch_store_show(store, id, &fault);
    assert_non_null(mismatch);
    return mismatch;
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void nobody_else_can_read_what_backends_answered(void **state)
{
    (void)state;
    static const char *const names[] = {"mismatches.db", "mismatches.db-wal", "mismatches.db-shm"};
    record("/a", "$.b");
    for (size_t i = 0; i < 3; i++) {
        char path[STATE_PATH_BYTES];
        struct stat status;
        state_folder_file(&folder, names[i], path);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void the_first_example_and_the_newest_stay(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        char body[24];
        snprintf(body, sizeof(body), "body %d", i);
        record_body("/a", "$.b", body);
    }
    json_t *mismatch = show(1);
    const json_t *examples = json_object_get(mismatch, "examples");
    static const char *const bodies[] = {"body 11", "body 10", "body 9", "body 8", "body 0"};
    assert_int_equal(number(mismatch, "count"), 12);
    assert_int_equal(number(mismatch, "first_seen_ms"), 1000);
    assert_int_equal(number(mismatch, "last_seen_ms"), 1011);
    assert_int_equal(json_array_size(examples), MISMATCH_EXAMPLES);
    for (size_t i = 0; i < MISMATCH_EXAMPLES; i++)
        assert_string_equal(text(json_object_get(json_array_get(examples, i), "first"), "body"),
                            bodies[i]);
    json_decref(mismatch);
}

static void the_most_frequent_come_first_and_what_is_accepted_last(void **state)
{
    (void)state;
    struct fault fault;
    record("/a", "$.seldom");
    for (int i = 0; i < 3; i++)
        record("/a", "$.often");
    for (int i = 0; i < 9; i++)
        record("/a", "$.wanted");
    assert_true(mismatch_store_accept(store, 3, STRVIEW("me"), STRVIEW("why"), 5, &fault));
    json_t *rows = list("");
    assert_string_equal(text(json_array_get(rows, 0), "field"), "$.often");
    assert_string_equal(text(json_array_get(rows, 1), "field"), "$.seldom");
    assert_string_equal(text(json_array_get(rows, 2), "field"), "$.wanted");
    json_decref(rows);
    rows = list("other");
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
}

static void what_is_accepted_stays_accepted(void **state)
{
    (void)state;
    struct fault fault;
    record("/a", "$.b");
    record("/a", "$.c");
    for (int i = 0; i < 3; i++)
        assert_true(mismatch_store_accept(store, 1, STRVIEW("me"), STRVIEW("why"), 5, &fault));
    assert_false(mismatch_store_accept(store, 99, STRVIEW("me"), STRVIEW("why"), 5, &fault));
    assert_string_equal(fault.text, "");
    mismatch_store_close(store);
    open_store();
    assert_true(is_accepted("/a", "$.b"));
    assert_false(is_accepted("/a", "$.c"));
    assert_false(is_accepted("/b", "$.b"));
    json_t *mismatch = show(1);
    assert_string_equal(text(json_object_get(mismatch, "accepted"), "who"), "me");
    json_decref(mismatch);
}

static void a_full_store_forgets_what_was_seen_longest_ago(void **state)
{
    (void)state;
    struct fault fault;
    record("/first", "$.accepted");
    assert_true(mismatch_store_accept(store, 1, STRVIEW("me"), STRVIEW("why"), 5, &fault));
    for (int i = 1; i < MISMATCH_GROUPS_MAX; i++) {
        char path[24];
        snprintf(path, sizeof(path), "/%d", i);
        record(path, "$.b");
    }
    record("/1", "$.b"); /* seen again just now */
    record("/new", "$.b");
    json_t *rows = list("");
    bool found[4] = {false, false, false, false};
    static const char *const paths[] = {"/first", "/1", "/2", "/new"};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t j = 0; j < 4; j++)
            found[j] |= strcmp(text(json_array_get(rows, i), "path"), paths[j]) == 0;
    }
    assert_true(json_array_size(rows) < MISMATCH_GROUPS_MAX);
    assert_true(found[0] && found[1] && !found[2] && found[3]);
    json_decref(rows);
}

static void a_line_for_the_files_is_suggested_where_there_can_be_one(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"$.a[*].b", "ignore = [ \"$.a[*].b\" ];"},
        {"$['odd name']", "ignore = [ \"$['odd name']\" ];"},
        {"$['it's']", NULL},
        {"$['a\"b']", NULL},
        {"$", NULL},
        {"header:etag", "ignore = [ \"header:etag\" ];"},
        {"status", "status = false;"},
        {"body", NULL},
        {"html: main > p.by @title", "ignore = [ \"html:p.by\" ];"},
        {"html: div > p.a", "ignore = [ \"html:p.a\" ];"},
        {"html:", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        record("/a", rows[i][0]);
        json_t *mismatch = show(i + 1);
        if (rows[i][1] != NULL)
            assert_string_equal(text(mismatch, "suggestion"), rows[i][1]);
        else
            assert_true(json_is_null(json_object_get(mismatch, "suggestion")));
        json_decref(mismatch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_else_can_read_what_backends_answered, begin, end),
        cmocka_unit_test_setup_teardown(the_first_example_and_the_newest_stay, begin, end),
        cmocka_unit_test_setup_teardown(the_most_frequent_come_first_and_what_is_accepted_last,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_is_accepted_stays_accepted, begin, end),
        cmocka_unit_test_setup_teardown(a_full_store_forgets_what_was_seen_longest_ago, begin, end),
        cmocka_unit_test_setup_teardown(a_line_for_the_files_is_suggested_where_there_can_be_one,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
