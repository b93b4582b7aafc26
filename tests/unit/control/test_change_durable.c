/* What outlives a crash, what goes back by itself, and what is done without a journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/bucket.h"
#include "tests/unit/control/control_fixture.h"

enum { HALF = BUCKET_COUNT / 2, QUARTER = BUCKET_COUNT / 4, MINUTE_MS = 60000 };

static struct change percent(uint32_t threshold)
{
    return (struct change){
        .verb = CHANGE_PERCENT, .module = STRVIEW("users"), .threshold = threshold};
}

static struct change stage(enum stage to)
{
    return (struct change){.verb = CHANGE_STAGE, .module = STRVIEW("users"), .stage = to};
}

static struct change verb(enum change_verb verb)
{
    return (struct change){.verb = verb, .module = STRVIEW("users"), .who = STRVIEW("ada")};
}

static struct change confirmed_within(struct change change, uint64_t ms)
{
    change.confirm_within_ms = ms;
    return change;
}

static uint32_t threshold(const struct fixture *fixture)
{
    return fixture_module(fixture, "users").threshold;
}

/* A start later, by the clock on the wall. */
static void restart_after(struct fixture *fixture, uint64_t ms)
{
    char sql[160];
    snprintf(sql, sizeof(sql),
             "UPDATE pending SET revert_at_unix_ms = revert_at_unix_ms - %llu;"
             "UPDATE freeze SET until_unix_ms = until_unix_ms - %llu;",
             (unsigned long long)ms, (unsigned long long)ms);
    state_folder_sql(&fixture->folder, sql);
    fixture_restart(fixture, NULL);
}

/* --- restarts ------------------------------------------------------------------------------ */

static void what_was_answered_is_there_after_a_crash(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, verb(CHANGE_ABORT));
    fixture_change(&fixture, verb(CHANGE_FREEZE));
    uint64_t generation = control_generation(&fixture.control);
    fixture_restart(&fixture, NULL);
    struct module module = fixture_module(&fixture, "users");
    assert_int_equal(module.threshold, HALF);
    assert_true(module.aborted);
    assert_true(module.frozen);
    assert_string_equal(fixture_live(&fixture, "users")->latch.note.who, "ada");
    assert_true(control_generation(&fixture.control) > generation);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 200);
    assert_int_equal(fixture.result.entry, 4);
    fixture_done(&fixture);
}

static void a_file_edited_while_nobody_served_has_the_last_word(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, stage(STAGE_LIVE));
    fixture_restart(&fixture, "stage = \"ramp\"; percent = 30;");
    assert_int_equal(threshold(&fixture), 300000);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_restart(&fixture, "stage = \"ramp\"; percent = 25;");
    assert_int_equal(threshold(&fixture), QUARTER); /* it is gone, not asleep */
    fixture_done(&fixture);
}

static void a_latch_does_not_care_about_edited_files(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_ABORT));
    fixture_restart(&fixture, "stage = \"live\";");
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_done(&fixture);
}

static void a_freeze_is_over_when_its_time_is_over_while_nobody_served(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_FREEZE));
    restart_after(&fixture, CHANGE_TTL_MS / 2);
    assert_true(fixture_module(&fixture, "users").frozen);
    restart_after(&fixture, CHANGE_TTL_MS);
    assert_false(fixture_module(&fixture, "users").frozen);
    assert_int_equal(fixture_live(&fixture, "users")->freeze.until_unix_ms, 0);
    fixture_done(&fixture);
}

/* --- confirmation -------------------------------------------------------------------------- */

static void an_unconfirmed_change_goes_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    assert_int_equal(fixture_live(&fixture, "users")->pending.entry, fixture.result.entry);
    fixture_wait(&fixture, MINUTE_MS - 1);
    assert_int_equal(threshold(&fixture), HALF);
    fixture_wait(&fixture, 1);
    assert_int_equal(threshold(&fixture), QUARTER);
    assert_int_equal(fixture_live(&fixture, "users")->pending.entry, 0);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_CONFIRM)), 409);
    struct change undo = {.verb = CHANGE_UNDO, .undo_entry = 1};
    assert_int_equal(fixture_change(&fixture, undo), 409);
    fixture_assert_detail(&fixture, "taken back by entry 2 already");
    fixture_done(&fixture);
}

static void the_loop_wakes_up_for_what_was_not_confirmed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), CHANGE_CONFIRM_MIN_MS));
    while (threshold(&fixture) == HALF)
        fixture_turn(&fixture);
    assert_int_equal(threshold(&fixture), QUARTER);
    fixture_done(&fixture);
}

static void a_confirmed_change_stays(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    uint64_t generation = control_generation(&fixture.control);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_CONFIRM)), 200);
    assert_int_equal(fixture.result.entry, 2);
    assert_int_equal(control_generation(&fixture.control), generation);
    fixture_wait(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), HALF);
    restart_after(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), HALF);
    fixture_done(&fixture);
}

static void an_unconfirmed_change_goes_back_over_a_crash(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(stage(STAGE_LIVE), MINUTE_MS));
    restart_after(&fixture, MINUTE_MS / 2);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    restart_after(&fixture, MINUTE_MS); /* overdue: it was never in force after the start */
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    fixture_restart(&fixture, NULL);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    fixture_done(&fixture);
}

static void an_unconfirmed_change_back_to_the_file_goes_back_to_the_override(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, confirmed_within(percent(QUARTER), MINUTE_MS));
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    restart_after(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), HALF);
    fixture_done(&fixture);
}

static void a_file_that_says_something_else_is_the_end_of_the_wait(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    fixture_restart(&fixture, "stage = \"ramp\"; percent = 30;");
    fixture_wait(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), 300000);
    fixture_done(&fixture);
}

static void while_a_change_waits_another_needs_force(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    struct change other = stage(STAGE_LIVE);
    assert_int_equal(fixture_change(&fixture, other), 409);
    fixture_assert_detail(&fixture, "waits to be confirmed (percent 50, entry 1)");
    other.force = true;
    assert_int_equal(fixture_change(&fixture, other), 200);
    fixture_wait(&fixture, MINUTE_MS); /* the forced one has changed another key */
    assert_int_equal(threshold(&fixture), QUARTER);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_done(&fixture);
}

static void an_abort_is_no_confirmation_and_stays(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(stage(STAGE_LIVE), MINUTE_MS));
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 200);
    fixture_wait(&fixture, MINUTE_MS);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 200);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    fixture_done(&fixture);
}

static void a_resume_that_nobody_confirms_is_aborted_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_ABORT));
    fixture_change(&fixture, confirmed_within(verb(CHANGE_RESUME), MINUTE_MS));
    assert_false(fixture_module(&fixture, "users").aborted);
    restart_after(&fixture, MINUTE_MS);
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_done(&fixture);
}

static void what_waits_can_be_undone_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    assert_int_equal(fixture_change(&fixture, (struct change){.verb = CHANGE_UNDO}), 200);
    assert_int_equal(threshold(&fixture), QUARTER);
    assert_int_equal(fixture_live(&fixture, "users")->pending.entry, 0);
    fixture_done(&fixture);
}

/* --- without the journal ------------------------------------------------------------------- */

static void without_the_journal_only_an_abort_is_done(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    uint64_t generation = control_generation(&fixture.control);
    fixture_lock_journal(&fixture);
    const struct change refused[] = {percent(QUARTER), stage(STAGE_LIVE), verb(CHANGE_FREEZE),
                                     verb(CHANGE_SAVE), (struct change){.verb = CHANGE_UNDO}};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(fixture_change(&fixture, refused[i]), 503);
        fixture_assert_detail(&fixture,
                              "nothing was changed: the journal failed: database is locked");
        assert_false(fixture.result.changed);
    }
    assert_int_equal(control_generation(&fixture.control), generation);
    assert_int_equal(threshold(&fixture), HALF);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 500);
    fixture_assert_detail(&fixture, "aborted, not durable");
    assert_true(fixture.result.changed);
    assert_false(fixture.result.durable);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 503);
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_unlock_journal(&fixture);
    fixture_restart(&fixture, NULL); /* as it was said */
    assert_false(fixture_module(&fixture, "users").aborted);
    fixture_done(&fixture);
}

static void abort_undurably(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_change(fixture, percent(HALF));
    fixture_lock_journal(fixture);
    assert_int_equal(fixture_change(fixture, verb(CHANGE_ABORT)), 500);
}

static void assert_abort_is_durable(struct fixture *fixture)
{
    fixture_restart(fixture, NULL);
    assert_true(fixture_module(fixture, "users").aborted);
    assert_string_equal(fixture_live(fixture, "users")->latch.note.who, "ada");
    fixture_done(fixture);
}

static void an_abort_again_tries_the_journal_again(void **state)
{
    (void)state;
    struct fixture fixture;
    abort_undurably(&fixture);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 500);
    fixture_assert_detail(&fixture, "aborted, not durable");
    assert_false(fixture.result.changed);
    fixture_unlock_journal(&fixture);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 200);
    assert_false(fixture.result.changed);
    assert_true(fixture.result.durable);
    assert_abort_is_durable(&fixture);
}

static void an_abort_becomes_durable_as_soon_as_the_journal_works(void **state)
{
    (void)state;
    struct fixture fixture;
    abort_undurably(&fixture);
    fixture_unlock_journal(&fixture);
    fixture_wait(&fixture, 10000);
    assert_true(fixture_live(&fixture, "users")->latch.durable);
    assert_abort_is_durable(&fixture);
}

static void an_abort_becomes_durable_with_any_other_change(void **state)
{
    (void)state;
    struct fixture fixture;
    abort_undurably(&fixture);
    fixture_unlock_journal(&fixture);
    struct change change = {.verb = CHANGE_PERCENT, .module = STRVIEW("posts"), .threshold = 1};
    assert_int_equal(fixture_change(&fixture, change), 200);
    assert_int_equal(fixture.result.entry, 3); /* 2 tells of the abort */
    assert_abort_is_durable(&fixture);
}

static void what_cannot_go_back_is_tried_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, confirmed_within(percent(HALF), MINUTE_MS));
    fixture_lock_journal(&fixture);
    fixture_wait(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), HALF);
    fixture_unlock_journal(&fixture);
    fixture_wait(&fixture, MINUTE_MS);
    assert_int_equal(threshold(&fixture), QUARTER);
    fixture_done(&fixture);
}

static void a_freeze_ends_without_the_journal(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_FREEZE));
    fixture_lock_journal(&fixture);
    fixture_wait(&fixture, CHANGE_TTL_MS);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_unlock_journal(&fixture);
    restart_after(&fixture, CHANGE_TTL_MS);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_done(&fixture);
}

static void a_reload_that_would_drop_an_override_needs_the_journal(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_lock_journal(&fixture);
    fixture_write(&fixture, "stage = \"live\"; percent = 25;");
    struct change reload = {.verb = CHANGE_RELOAD};
    assert_int_equal(fixture_change(&fixture, reload), 200); /* it drops none */
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_write(&fixture, "stage = \"live\"; percent = 30;");
    assert_int_equal(fixture_change(&fixture, reload), 500);
    assert_int_equal(threshold(&fixture), HALF);
    fixture_unlock_journal(&fixture);
    assert_int_equal(fixture_change(&fixture, reload), 200);
    assert_int_equal(threshold(&fixture), 300000);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_there_after_a_crash),
        cmocka_unit_test(a_file_edited_while_nobody_served_has_the_last_word),
        cmocka_unit_test(a_latch_does_not_care_about_edited_files),
        cmocka_unit_test(a_freeze_is_over_when_its_time_is_over_while_nobody_served),
        cmocka_unit_test(an_unconfirmed_change_goes_back),
        cmocka_unit_test(the_loop_wakes_up_for_what_was_not_confirmed),
        cmocka_unit_test(a_confirmed_change_stays),
        cmocka_unit_test(an_unconfirmed_change_goes_back_over_a_crash),
        cmocka_unit_test(an_unconfirmed_change_back_to_the_file_goes_back_to_the_override),
        cmocka_unit_test(a_file_that_says_something_else_is_the_end_of_the_wait),
        cmocka_unit_test(while_a_change_waits_another_needs_force),
        cmocka_unit_test(an_abort_is_no_confirmation_and_stays),
        cmocka_unit_test(a_resume_that_nobody_confirms_is_aborted_again),
        cmocka_unit_test(what_waits_can_be_undone_at_once),
        cmocka_unit_test(without_the_journal_only_an_abort_is_done),
        cmocka_unit_test(an_abort_again_tries_the_journal_again),
        cmocka_unit_test(an_abort_becomes_durable_as_soon_as_the_journal_works),
        cmocka_unit_test(an_abort_becomes_durable_with_any_other_change),
        cmocka_unit_test(what_cannot_go_back_is_tried_again),
        cmocka_unit_test(a_freeze_ends_without_the_journal),
        cmocka_unit_test(a_reload_that_would_drop_an_override_needs_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
