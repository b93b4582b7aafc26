/* Journals that are old, damaged, foreign, or may not be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/control/journal.h"
#include "tests/unit/control/state_folder.h"

enum { NOBODY = 65534 };

static struct journal *open_in(const struct state_folder *folder)
{
    struct fault fault;
    struct journal *journal = journal_open(folder->path, &fault);
    if (journal == NULL)
        fail_msg("%s", fault.text);
    return journal;
}

static void assert_refused(const struct state_folder *folder, const char *reason)
{
    struct fault fault;
    assert_null(journal_open(folder->path, &fault));
    if (strstr(fault.text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.text, reason);
}

/* A module with something of everything that the journal keeps. */
static struct live_module changed_module(void)
{
    struct live_note note = {.who = "ada", .why = "because \"so\"; 'yes'", .unix_ms = 17};
    struct live_module module = {
        .name = "users",
        .overrides[LIVE_STAGE] = {.on = true,
                                  .file = STAGE_LEGACY,
                                  .running = STAGE_RAMP,
                                  .note = note},
        .overrides[LIVE_PERCENT] = {.on = true, .file = 0, .running = 123456, .note = note},
        .latch = {.on = true, .note = note},
        .freeze = {.until_unix_ms = 1700000000000, .note = note},
        .pending = {.entry = 5,
                    .key = LIVE_STAGE,
                    .value = STAGE_RAMP,
                    .back_to = STAGE_LEGACY,
                    .revert_at_unix_ms = 1700000000001},
    };
    return module;
}

static void put(struct journal *journal, const struct live_module *module)
{
    struct fault fault;
    assert_true(journal_begin(journal, &fault));
    assert_true(journal_put_module(journal, module, &fault));
    assert_true(journal_commit(journal, &fault));
}

static struct live_state *load(struct journal *journal)
{
    struct fault fault;
    struct live_state *live = live_state_new();
    if (!journal_load(journal, live, &fault))
        fail_msg("%s", fault.text);
    return live;
}

static void assert_owner(struct journal *journal, enum write_owner owner, uint64_t epoch,
                         bool unsettled)
{
    struct live_state *live = load(journal);
    const struct live_module *module = live_state_find(live, STRVIEW("users"));
    assert_true(module->owner_known);
    assert_int_equal(module->owner, owner);
    assert_int_equal(module->epoch, epoch);
    assert_int_equal(module->unsettled, unsettled);
    live_state_free(live);
}

static const char version_1[] =
    "CREATE TABLE flip("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, module TEXT NOT NULL,"
    " owner_from TEXT NOT NULL, owner_to TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, drain_ms INTEGER NOT NULL, program_ms INTEGER NOT NULL,"
    " total_ms INTEGER NOT NULL, successful INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE INDEX flip_by_module ON flip(module, id);"
    "INSERT INTO flip VALUES(1, 5, 'users', 'legacy', 'extracted', 2, 3, 1, 1, 1, 1, '');"
    "INSERT INTO flip VALUES(2, 6, 'users', 'extracted', 'legacy', 3, 9, 1, 1, 1, 0, 'no');"
    "PRAGMA user_version = 1;";

static void an_older_file_is_brought_up_to_date(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    state_folder_sql(&folder, version_1);
    struct journal *journal = open_in(&folder);
    assert_owner(journal, WRITE_OWNER_EXTRACTED, 4, false);
    struct live_module module = changed_module();
    put(journal, &module);
    uint64_t generation = 0;
    struct fault fault;
    assert_true(journal_last_generation(journal, &generation, &fault));
    assert_int_equal(generation, 9);
    journal_close(journal);
    journal_close(open_in(&folder));
    state_folder_done(&folder);
}

static void a_file_of_a_newer_version_is_refused(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    state_folder_sql(&folder, "PRAGMA user_version = 1000;");
    assert_refused(&folder, "newer version of this program (schema 1000");
    state_folder_done(&folder);
}

static void what_is_no_database_is_refused(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    state_folder_write(&folder, "strangler.db",
                       "This is a text, and not a database at all.\n"
                       "It goes on for more than a line.\n");
    assert_refused(&folder, "damaged");
    state_folder_done(&folder);
}

static void a_damaged_page_is_refused(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_module module = changed_module();
    put(journal, &module);
    journal_close(journal);
    char path[STATE_PATH_BYTES];
    state_folder_file(&folder, "strangler.db", path);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    for (long at = 4096; at < ftell(file); at += 4096) {
        fseek(file, at, SEEK_SET);
        fputs("no page begins like this", file);
        fseek(file, 0, SEEK_END);
    }
    fclose(file);
    assert_refused(&folder, "damaged");
    state_folder_done(&folder);
}

static void a_row_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "INSERT INTO override VALUES('users', 'stage', 'legacy', 'ramps', '', '', 0);",
        "INSERT INTO override VALUES('users', 'aborted', 'no', 'yes', '', '', 0);",
        "INSERT INTO override VALUES('users', 'percent', '0', '100.5', '', '', 0);",
        "INSERT INTO pending VALUES('users', 1, 'stage', 'ramp', '', 0);",
        "INSERT INTO flip VALUES(1, 5, 'users', 'us', 'them', 2, 3, 1, 1, 1, 1, '');",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct state_folder folder;
        struct fault fault;
        state_folder_init(&folder);
        journal_close(open_in(&folder));
        state_folder_sql(&folder, rows[i]);
        struct journal *journal = open_in(&folder);
        struct live_state *live = live_state_new();
        assert_false(journal_load(journal, live, &fault));
        assert_non_null(strstr(fault.text, "about users that is not understood"));
        live_state_free(live);
        journal_close(journal);
        state_folder_done(&folder);
    }
}

static void two_proxies_do_not_share_a_journal(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    assert_refused(&folder, "another proxy uses state_dir");
    journal_close(journal);
    journal_close(open_in(&folder));
    state_folder_done(&folder);
}

static void a_file_that_was_taken_away_gets_no_changes(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct fault fault;
    char path[STATE_PATH_BYTES];
    struct journal *journal = open_in(&folder);
    state_folder_file(&folder, "strangler.db", path);
    assert_int_equal(unlink(path), 0);
    assert_false(journal_begin(journal, &fault));
    assert_non_null(strstr(fault.text, "deleted or replaced"));
    journal_close(journal);
    state_folder_done(&folder);
}

/* Who is root may write into every file, so the test is somebody else. */
static void a_file_that_can_only_be_read_is_read(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    struct journal *journal = open_in(&folder);
    struct live_module module = changed_module();
    put(journal, &module);
    journal_close(journal);
    char path[STATE_PATH_BYTES];
    state_folder_file(&folder, "strangler.db", path);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder.path, 0777), 0);
    bool is_root = geteuid() == 0;
    if (is_root)
        assert_int_equal(seteuid(NOBODY), 0);
    struct fault fault;
    journal = open_in(&folder);
    struct live_state *live = load(journal);
    assert_int_equal(live->count, 1);
    assert_false(journal_begin(journal, &fault) && journal_put_module(journal, &module, &fault));
    assert_non_null(strstr(fault.text, "readonly"));
    live_state_free(live);
    journal_close(journal);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    state_folder_done(&folder);
}

static void without_a_file_there_is_no_journal(void **state)
{
    (void)state;
    struct state_folder folder;
    state_folder_init(&folder);
    assert_false(journal_exists(folder.path));
    journal_close(open_in(&folder));
    assert_true(journal_exists(folder.path));
    state_folder_done(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_file_is_brought_up_to_date),
        cmocka_unit_test(a_file_of_a_newer_version_is_refused),
        cmocka_unit_test(what_is_no_database_is_refused),
        cmocka_unit_test(a_damaged_page_is_refused),
        cmocka_unit_test(a_row_that_makes_no_sense_is_refused),
        cmocka_unit_test(two_proxies_do_not_share_a_journal),
        cmocka_unit_test(a_file_that_was_taken_away_gets_no_changes),
        cmocka_unit_test(a_file_that_can_only_be_read_is_read),
        cmocka_unit_test(without_a_file_there_is_no_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
