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

static struct change abort_with_writes(void)
{
    struct change change = verb(CHANGE_ABORT);
    change.with_writes = true;
    return change;
}

static void assert_detail(const struct fixture *fixture, const char *text)
{
    if (strstr(fixture->result.detail, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fixture->result.detail, text);
}

static enum write_owner owner(const struct fixture *fixture)
{
    return fixture_module(fixture, "users").write_owner;
}

/* What the program was told, a line a run. */
static void assert_told(const struct fixture *fixture, const char *expected)
{
    char path[STATE_PATH_BYTES];
    char text[512] = "";
    state_folder_file(&fixture->folder, "told", path);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    assert_string_equal(text, expected);
}

/* Turns the loop until the program has been told that often. */
static void wait_told(struct fixture *fixture, const char *last)
{
    char path[STATE_PATH_BYTES];
    char text[512] = "";
    state_folder_file(&fixture->folder, "told", path);
    while (strstr(text, last) == NULL) {
        fixture_turn(fixture);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
}

/* The program runs until there is a file `go`. */
static void hold_program(struct fixture *fixture)
{
    char lines[STATE_PATH_BYTES + 64];
    snprintf(lines, sizeof(lines), "while [ ! -e %s/go ]; do sleep 0.02; done",
             fixture->folder.path);
    fixture_write_program(fixture, lines);
}

static void let_program_go(struct fixture *fixture)
{
    state_folder_write(&fixture->folder, "go", "");
}

static void begin_held(struct fixture *fixture)
{
    fixture_init(fixture);
    hold_program(fixture);
    fixture_order(fixture, writes(WRITE_OWNER_EXTRACTED));
    wait_told(fixture, "users extracted 2\n");
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
    assert_told(&fixture, "users extracted 2\n");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    assert_false(fixture.result.changed);
    fixture_restart(&fixture, NULL);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    fixture_settle(&fixture);
    assert_told(&fixture, "users extracted 2\n");
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
    assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

static void a_program_that_fails_leaves_everything(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "exit 3");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 500);
    assert_detail(&fixture, "writes of users stay with legacy: on_flip failed");
    assert_false(fixture.result.changed);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    assert_told(&fixture, "users extracted 2\nusers extracted 4\n");
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
    assert_detail(&fixture, "on_flip did not end in time");
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_live(&fixture, "users")->unsettled);
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 200);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\nusers extracted 5\n");
    fixture_done(&fixture);
}

static void what_could_not_be_told_is_told_by_the_next_order_or_start(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "kill -9 $$");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED)), 500);
    assert_detail(&fixture, "on_flip was killed");
    assert_true(fixture_live(&fixture, "users")->unsettled);
    fixture_write_program(&fixture, "exit 0");
    assert_int_equal(fixture_change(&fixture, writes(WRITE_OWNER_LEGACY)), 200);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\nusers legacy 6\n");
    assert_false(fixture_live(&fixture, "users")->unsettled);
    fixture_done(&fixture);
}

static void a_crash_in_the_middle_is_settled_by_the_next_start(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    let_program_go(&fixture);
    fixture_restart(&fixture, NULL);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_settle(&fixture);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
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
    assert_told(&fixture, "");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

static void a_journal_that_fails_in_the_middle_leads_the_way_back(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    fixture_lock_journal(&fixture);
    let_program_go(&fixture);
    fixture_settle(&fixture);
    fixture_unlock_journal(&fixture);
    assert_int_equal(fixture.result.status, 503);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
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
    assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    struct change again = {.verb = CHANGE_UNDO, .undo_entry = 1};
    assert_int_equal(fixture_change(&fixture, again), 409);
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
    assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
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
    assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

/* --- meanwhile ----------------------------------------------------------------------------- */

static void other_modules_are_changed_meanwhile_and_stay_so(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    struct change other = {.verb = CHANGE_STAGE, .module = STRVIEW("posts"), .stage = STAGE_RAMP};
    fixture_order(&fixture, other);
    assert_int_equal(fixture.result.status, 200);
    assert_int_equal(fixture_module(&fixture, "posts").stage, STAGE_RAMP);
    struct change busy = {.verb = CHANGE_PERCENT, .module = STRVIEW("users"), .threshold = HALF};
    fixture_order(&fixture, busy);
    assert_int_equal(fixture.result.status, 409);
    assert_detail(&fixture, "busy");
    other.verb = CHANGE_WRITES;
    other.owner = WRITE_OWNER_EXTRACTED;
    fixture_order(&fixture, other);
    assert_int_equal(fixture.result.status, 409);
    let_program_go(&fixture);
    fixture_settle(&fixture);
    assert_int_equal(fixture.result.status, 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    assert_int_equal(fixture_module(&fixture, "posts").stage, STAGE_RAMP);
    fixture_done(&fixture);
}

static void an_abort_acts_at_once_and_outlives_the_change(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    fixture_order(&fixture, verb(CHANGE_ABORT));
    assert_int_equal(fixture.answers, 1);
    assert_int_equal(fixture.result.status, 200);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_true(fixture_module(&fixture, "users").frozen);
    let_program_go(&fixture);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 2);
    assert_int_equal(fixture.result.status, 200);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    fixture_done(&fixture);
}

static void an_abort_with_writes_gives_up_a_change_to_extracted(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    let_program_go(&fixture); /* not seen before the order */
    fixture_order(&fixture, abort_with_writes());
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 2);
    assert_int_equal(fixture.result.status, 200); /* of the abort; the first was a refusal */
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    fixture_done(&fixture);
}

static void an_abort_with_writes_moves_them_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED));
    assert_int_equal(fixture_change(&fixture, abort_with_writes()), 200);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_int_equal(fixture_change(&fixture, abort_with_writes()), 200);
    assert_false(fixture.result.changed);
    assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
    fixture_done(&fixture);
}

static void an_abort_with_writes_keeps_a_reload_from_moving_them_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_restart(&fixture, "stage = \"live\"; write_owner = \"extracted\";");
    assert_int_equal(fixture_change(&fixture, abort_with_writes()), 200);
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD}), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_restart(&fixture, NULL);
    fixture_settle(&fixture);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

static void an_abort_says_when_the_writes_could_not_go_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, writes(WRITE_OWNER_EXTRACTED));
    fixture_write_program(&fixture, "exit 1");
    assert_int_equal(fixture_change(&fixture, abort_with_writes()), 500);
    assert_true(fixture.result.changed);
    assert_detail(&fixture, "writes of users stay with extracted");
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_done(&fixture);
}

static void a_reload_waits_for_the_change_and_an_abort_does_not_wait_for_the_reload(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    fixture_write(&fixture, "stage = \"live\"; percent = 25;");
    fixture_order(&fixture, (struct change){.verb = CHANGE_RELOAD});
    assert_int_equal(fixture.answers, 0);
    fixture_order(&fixture, verb(CHANGE_ABORT));
    assert_int_equal(fixture.answers, 1);
    assert_true(fixture_module(&fixture, "users").aborted);
    let_program_go(&fixture);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 3);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(owner(&fixture), WRITE_OWNER_EXTRACTED);
    fixture_done(&fixture);
}

static void a_reload_is_answered_when_the_writes_have_moved(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    hold_program(&fixture);
    fixture_write(&fixture, "stage = \"retired\"; write_owner = \"extracted\";");
    fixture_order(&fixture, (struct change){.verb = CHANGE_RELOAD});
    wait_told(&fixture, "users extracted 2\n");
    assert_int_equal(fixture.answers, 0);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    let_program_go(&fixture);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 1);
    assert_int_equal(fixture.result.status, 200);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RETIRED);
    fixture_done(&fixture);
}

static void a_reload_says_when_an_owner_could_not_be_changed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write_program(&fixture, "exit 1");
    fixture_write(&fixture, "stage = \"live\"; write_owner = \"extracted\";");
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD}), 500);
    assert_true(fixture.result.changed);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture.control.last_reload_successful);
    fixture_write_program(&fixture, "exit 0");
    struct change by_command = writes(WRITE_OWNER_LEGACY); /* so that it is not tried again */
    assert_int_equal(fixture_change(&fixture, by_command), 200);
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_RELOAD}), 200);
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

static void an_end_of_the_proxy_leads_the_way_back(void **state)
{
    (void)state;
    struct fixture fixture;
    begin_held(&fixture);
    let_program_go(&fixture);
    fixture.control.draining = true;
    flip_cancel(&fixture.control.flip);
    fixture_settle(&fixture);
    assert_int_equal(fixture.result.status, 503);
    assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_move_by_command_and_outlive_a_crash),
        cmocka_unit_test(a_reload_does_not_move_writes_that_a_command_moved),
        cmocka_unit_test(a_program_that_fails_leaves_everything),
        cmocka_unit_test(a_program_that_is_cut_off_is_run_the_way_back),
        cmocka_unit_test(what_could_not_be_told_is_told_by_the_next_order_or_start),
        cmocka_unit_test(a_crash_in_the_middle_is_settled_by_the_next_start),
        cmocka_unit_test(without_a_journal_no_program_is_run),
        cmocka_unit_test(a_journal_that_fails_in_the_middle_leads_the_way_back),
        cmocka_unit_test(an_undo_of_writes_moves_them_back),
        cmocka_unit_test(unconfirmed_writes_move_back),
        cmocka_unit_test(unconfirmed_writes_move_back_at_the_next_start),
        cmocka_unit_test(other_modules_are_changed_meanwhile_and_stay_so),
        cmocka_unit_test(an_abort_acts_at_once_and_outlives_the_change),
        cmocka_unit_test(an_abort_with_writes_gives_up_a_change_to_extracted),
        cmocka_unit_test(an_abort_with_writes_moves_them_back),
        cmocka_unit_test(an_abort_with_writes_keeps_a_reload_from_moving_them_again),
        cmocka_unit_test(an_abort_says_when_the_writes_could_not_go_back),
        cmocka_unit_test(a_reload_waits_for_the_change_and_an_abort_does_not_wait_for_the_reload),
        cmocka_unit_test(a_reload_is_answered_when_the_writes_have_moved),
        cmocka_unit_test(a_reload_says_when_an_owner_could_not_be_changed),
        cmocka_unit_test(an_end_of_the_proxy_leads_the_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
