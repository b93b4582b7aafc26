/* Changes of write owner by command, with a program that can be made to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/routing/bucket.h"
#include "tests/unit/control/control_fixture.h"

enum { HALF = BUCKET_COUNT / 2, MINUTE_MS = 60000 };

static struct change writes(enum write_owner owner)
{
    return (struct change){.verb = CHANGE_WRITES, .module = STRVIEW("users"), .owner = owner};
}

static struct change verb(enum change_verb verb)
{
    return (struct change){.verb = verb, .module = STRVIEW("users")};
}

static enum write_owner owner(const struct fixture *fixture)
{
    return fixture_module(fixture, "users").write_owner;
}

static void begin_held(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_hold_program(fixture);
    fixture_order(fixture, writes(WRITE_OWNER_EXTRACTED));
    fixture_wait_told(fixture, "users extracted 2\n");
    assert_true(fixture_module(fixture, "users").frozen);
}

/* --- by command ---------------------------------------------------------------------------- */

static void writes_move_by_command_and_outlive_a_crash(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    assert_true(fixture.result.changed);
    assert_int_equal(fixture.result.entry, 1);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_assert_told(&fixture, "users extracted 2\n");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    assert_false(fixture.result.changed);
    fixture_restart(&fixture, NULL);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    fixture_settle(&fixture);
    fixture_assert_told(&fixture, "users extracted 2\n");
    fixture_done(&fixture);
}

static void a_reload_does_not_move_writes_that_a_command_moved(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED));
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD}), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    fixture_write(&fixture, "stage = \"ramp\"; percent = 25; write_owner = \"extracted\";");
    fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD});
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    fixture_write(&fixture, "stage = \"ramp\"; percent = 25;");
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD}), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

static void a_program_that_fails_leaves_everything(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "exit 3");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 500);
    fixture_assert_detail(&fixture, "writes of users stay with legacy: on_flip failed");
    assert_false(fixture.result.changed);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    fixture_assert_told(&fixture, "users extracted 2\nusers extracted 4\n");
    fixture_done(&fixture);
}

static void a_program_that_is_cut_off_is_run_the_way_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "[ $2 = legacy ] || sleep 60");
    struct change change = writes(WRITE_OWNER_EXTRACTED);
    change.timeout_ms = 300;
    assert_int_equal(fixture_change(&fixture, change), 504);
    fixture_assert_detail(&fixture, "on_flip did not end in time");
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_live(&fixture, "users")->unsettled);
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\nusers extracted 5\n");
    fixture_done(&fixture);
}

static bool is_running(pid_t pid)
{
    char path[64];
    char text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return strstr(text, ") Z ") == NULL;
}

static void a_program_that_is_cut_off_takes_along_what_it_has_started(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    char lines[STATE_PATH_BYTES + 80];
    snprintf(lines, sizeof(lines), "[ $2 = legacy ] && exit 0\nsleep 60 &\necho $! > %s/pid\nwait",
             fixture.folder.path);
    fixture_write_program(&fixture, lines);
    struct change change = writes(WRITE_OWNER_EXTRACTED);
    change.timeout_ms = 300;
    assert_int_equal(fixture_change(&fixture, change), 504);
    char path[STATE_PATH_BYTES];
    int pid = 0;
    state_folder_file(&fixture.folder, "pid", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    while (is_running(pid))
        fixture_turn(&fixture);
    fixture_done(&fixture);
}

static void what_could_not_be_told_is_told_by_the_next_order_or_start(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "kill -9 $$");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 500);
    fixture_assert_detail(&fixture, "on_flip was killed");
    assert_true(fixture_live(&fixture, "users")->unsettled);
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_LEGACY)), 200);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\nusers legacy 6\n");
    assert_false(fixture_live(&fixture, "users")->unsettled);
    fixture_done(&fixture);
}

static void a_crash_in_the_middle_is_settled_by_the_next_start(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    fixture_let_go(&fixture);
    fixture_restart(&fixture, NULL);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_settle(&fixture);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    fixture_done(&fixture);
}

static void without_a_journal_no_program_is_run(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_ABORT));
    fixture_lock_journal(&fixture);
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 503);
    fixture_unlock_journal(&fixture);
    fixture_assert_told(&fixture, "");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

static void a_journal_that_fails_in_the_middle_leads_the_way_back(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    fixture_lock_journal(&fixture);
    fixture_let_go(&fixture);
    fixture_settle(&fixture);
    fixture_unlock_journal(&fixture);
    assert_int_equal(fixture.result.status, 503);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

static void an_undo_of_writes_moves_them_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED));
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_UNDO}), 200);
    assert_true(fixture.result.changed);
    assert_int_equal(fixture.result.entry, 2);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    struct change again = {.verb = CHANGE_UNDO, .undo_entry = 1};
    assert_int_equal(fixture_change(&fixture, again), 409);
    fixture_done(&fixture);
}

static void writes_that_follow_reads_can_be_put_on_one_side_and_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_restart(&fixture, "stage = \"ramp\"; write_owner = \"follow\"; shared_store = true;");
    assert_int_equal(owner(&fixture), WRITE_OWNER_FOLLOW);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_FREEZE)), 200);
    assert_true(fixture_module(&fixture, "users").frozen);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_UNFREEZE)), 200);
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_LEGACY)), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_UNDO}), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_FOLLOW);
    fixture_assert_told(&fixture, "users legacy 2\nusers follow 3\n");
    fixture_done(&fixture);
}

static void unconfirmed_writes_move_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change change = writes(WRITE_OWNER_EXTRACTED);
    change.confirm_within_ms = MINUTE_MS;
    assert_int_equal(fixture_change(&fixture, change), 200);
    fixture_wait(&fixture, MINUTE_MS);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_int_equal(fixture_live(&fixture, "users")->pending.entry, 0);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

static void unconfirmed_writes_move_back_at_the_next_start(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change change = writes(WRITE_OWNER_EXTRACTED);
    change.confirm_within_ms = MINUTE_MS;
    fixture_change(&fixture, change);
    state_folder_sql(&fixture.folder, "UPDATE pending SET revert_at_unix_ms = 1;");
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_move_by_command_and_outlive_a_crash),
        cmocka_unit_test(a_reload_does_not_move_writes_that_a_command_moved),
        cmocka_unit_test(a_program_that_fails_leaves_everything),
        cmocka_unit_test(a_program_that_is_cut_off_is_run_the_way_back),
        cmocka_unit_test(a_program_that_is_cut_off_takes_along_what_it_has_started),
        cmocka_unit_test(what_could_not_be_told_is_told_by_the_next_order_or_start),
        cmocka_unit_test(a_crash_in_the_middle_is_settled_by_the_next_start),
        cmocka_unit_test(without_a_journal_no_program_is_run),
        cmocka_unit_test(a_journal_that_fails_in_the_middle_leads_the_way_back),
        cmocka_unit_test(an_undo_of_writes_moves_them_back),
        cmocka_unit_test(writes_that_follow_reads_can_be_put_on_one_side_and_back),
        cmocka_unit_test(unconfirmed_writes_move_back),
        cmocka_unit_test(unconfirmed_writes_move_back_at_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
