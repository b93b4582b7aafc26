/* Orders and their answers; what is in force, and what the journal has, after each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/routing/bucket.h"
#include "tests/unit/control/control_fixture.h"

enum { HALF = BUCKET_COUNT / 2, QUARTER = BUCKET_COUNT / 4 };

static struct change percent(uint32_t threshold)
{
    return (struct change){.verb = CHANGE_PERCENT,
                           .module = STRVIEW("users"),
                           .threshold = threshold,
                           .who = STRVIEW("ada"),
                           .why = STRVIEW("looks good")};
}

static struct change stage(enum stage to)
{
    return (struct change){.verb = CHANGE_STAGE, .module = STRVIEW("users"), .stage = to};
}

static struct change verb(enum change_verb verb)
{
    return (struct change){.verb = verb, .module = STRVIEW("users")};
}

static struct change verb_for_all(enum change_verb verb)
{
    return (struct change){.verb = verb};
}

static struct change undo(uint64_t entry)
{
    return (struct change){.verb = CHANGE_UNDO, .undo_entry = entry};
}

/* --- values -------------------------------------------------------------------------------- */

static void a_change_is_one_generation_and_one_entry(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t generation = control_generation(&fixture.control);
    assert_int_equal(generation, 1);
    assert_int_equal(fixture_change(&fixture, percent(HALF)), 200);
    assert_true(fixture.result.changed);
    assert_true(fixture.result.durable);
    assert_int_equal(fixture.result.generation, generation + 1);
    assert_int_equal(fixture.result.entry, 1);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    assert_int_equal(fixture_change(&fixture, stage(STAGE_LIVE)), 200);
    assert_int_equal(fixture.result.entry, 2);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_done(&fixture);
}

static void what_is_so_already_makes_no_generation_and_no_entry(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, percent(QUARTER)), 200);
    assert_false(fixture.result.changed);
    assert_int_equal(fixture.result.entry, 0);
    assert_int_equal(fixture.result.generation, 1);
    assert_null(fixture.control.journal);
    fixture_done(&fixture);
}

static void a_refused_change_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change unknown = percent(HALF);
    unknown.module = STRVIEW("userz");
    assert_int_equal(fixture_change(&fixture, unknown), 404);
    fixture_assert_detail(&fixture, "no module is called `userz`");
    assert_int_equal(fixture_change(&fixture, stage(STAGE_RETIRED)), 409);
    assert_int_equal(fixture_change(&fixture, percent(BUCKET_COUNT + 1)), 422);
    unknown.module = STRVIEW_NONE;
    assert_int_equal(fixture_change(&fixture, unknown), 422);
    fixture_assert_detail(&fixture, "percent needs a module");
    assert_int_equal(control_generation(&fixture.control), 1);
    assert_null(fixture.control.journal);
    fixture_done(&fixture);
}

static void a_name_that_is_too_long_is_no_module(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    char name[LIVE_NAME_BYTES];
    memset(name, 'u', sizeof(name));
    struct change change = percent(HALF);
    change.module = strview_make(name, sizeof(name));
    assert_int_equal(fixture_change(&fixture, change), 404);
    fixture_done(&fixture);
}

static void the_second_of_two_editors_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change first = percent(HALF);
    struct change second = stage(STAGE_LIVE);
    first.if_generation = second.if_generation = control_generation(&fixture.control);
    assert_int_equal(fixture_change(&fixture, first), 200);
    assert_int_equal(fixture_change(&fixture, second), 412);
    fixture_assert_detail(&fixture, "generation 2 is in force");
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    fixture_done(&fixture);
}

static void while_the_proxy_ends_nothing_is_changed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.control.draining = true;
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 503);
    assert_false(fixture_module(&fixture, "users").aborted);
    fixture_done(&fixture);
}

static void nobody_orders_what_the_proxy_does_by_itself(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_REVERT)), 422);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_THAW)), 422);
    fixture_done(&fixture);
}

static void an_owner_that_is_forgotten_gets_no_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change change = verb(CHANGE_WRITES);
    change.owner = WRITE_OWNER_EXTRACTED;
    fixture_order(&fixture, change);
    control_change_forget(&fixture.control, &fixture);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 0);
    assert_int_equal(fixture_module(&fixture, "users").write_owner, WRITE_OWNER_EXTRACTED);
    fixture_done(&fixture);
}

/* --- abort and resume ---------------------------------------------------------------------- */

static void an_abort_holds_until_somebody_resumes(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 200);
    assert_true(fixture.result.changed && fixture.result.durable);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 200);
    assert_false(fixture.result.changed);
    assert_int_equal(fixture_change(&fixture, percent(HALF)), 200);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 200);
    assert_false(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 200);
    assert_false(fixture.result.changed);
    fixture_done(&fixture);
}

static void an_abort_of_everything_is_one_entry_that_one_undo_takes_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_ABORT)), 200);
    assert_string_equal(fixture.result.note, "2 modules were aborted");
    assert_int_equal(fixture.result.generation, 2);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_true(fixture_module(&fixture, "posts").aborted);
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_false(fixture_module(&fixture, "users").aborted);
    assert_false(fixture_module(&fixture, "posts").aborted);
    fixture_done(&fixture);
}

static void everything_is_resumed_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb_for_all(CHANGE_ABORT));
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RESUME)), 200);
    assert_string_equal(fixture.result.note, "2 modules were resumed");
    assert_false(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RESUME)), 200);
    assert_false(fixture.result.changed);
    fixture_done(&fixture);
}

static void an_abort_of_everything_passes_over_what_is_retired(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_restart(&fixture, "stage = \"retired\"; write_owner = \"extracted\";");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_ABORT)), 200);
    assert_non_null(strstr(fixture.result.note, "1 modules were aborted; those that are retired"));
    assert_false(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_ABORT)), 409);
    fixture_done(&fixture);
}

static void an_abort_at_night_outlives_the_reload_in_the_morning(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, verb(CHANGE_ABORT));
    fixture_write(&fixture, "stage = \"ramp\"; percent = 50;");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RELOAD)), 200);
    assert_true(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_RESUME)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    fixture_done(&fixture);
}

/* --- undo ---------------------------------------------------------------------------------- */

static void undo_after_undo_leads_further_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, stage(STAGE_LIVE));
    fixture_change(&fixture, verb(CHANGE_ABORT));
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_false(fixture_module(&fixture, "users").aborted);
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, QUARTER);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    assert_int_equal(fixture_change(&fixture, undo(0)), 409);
    fixture_assert_detail(&fixture, "nothing to undo");
    fixture_done(&fixture);
}

static void an_undo_can_be_taken_back_by_its_number(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));                  /* 1 */
    assert_int_equal(fixture_change(&fixture, undo(1)), 200); /* 2 */
    assert_int_equal(fixture_change(&fixture, undo(1)), 409);
    fixture_assert_detail(&fixture, "taken back by entry 2 already");
    assert_int_equal(fixture_change(&fixture, undo(2)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    assert_int_equal(fixture_change(&fixture, undo(1)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, QUARTER);
    fixture_done(&fixture);
}

static void what_something_later_stands_on_is_not_undone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));             /* 1 */
    fixture_change(&fixture, stage(STAGE_LIVE));         /* 2: another key */
    fixture_change(&fixture, percent(BUCKET_COUNT - 1)); /* 3 */
    assert_int_equal(fixture_change(&fixture, undo(1)), 409);
    fixture_assert_detail(&fixture, "entry 3 has changed percent of users since");
    assert_int_equal(fixture_change(&fixture, undo(2)), 200);
    assert_int_equal(fixture_change(&fixture, undo(3)), 200);
    assert_int_equal(fixture_change(&fixture, undo(1)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, QUARTER);
    fixture_done(&fixture);
}

static void a_jump_can_be_undone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change jump = stage(STAGE_LEGACY);
    jump.force = true;
    assert_int_equal(fixture_change(&fixture, jump), 200);
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    fixture_done(&fixture);
}

static void entries_that_are_not_there_or_are_nothing_to_undo(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, undo(0)), 409);
    assert_int_equal(fixture_change(&fixture, undo(7)), 404);
    fixture_change(&fixture, percent(HALF));
    assert_int_equal(fixture_change(&fixture, undo(7)), 404);
    fixture_assert_detail(&fixture, "the journal has no entry 7");
    fixture_change(&fixture, verb(CHANGE_SAVE)); /* 2 */
    assert_int_equal(fixture_change(&fixture, undo(2)), 409);
    fixture_assert_detail(&fixture, "entry 2 (save) is nothing that can be undone");
    fixture_done(&fixture);
}

static void what_the_files_changed_is_undone_in_the_files(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF)); /* 1 */
    fixture_write(&fixture, "stage = \"ramp\"; percent = 30;");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RELOAD)), 200); /* 2 */
    assert_int_equal(fixture_module(&fixture, "users").threshold, 300000);
    assert_int_equal(fixture_change(&fixture, undo(0)), 409);
    fixture_assert_detail(&fixture, "entry 2 came from the files");
    assert_int_equal(fixture_change(&fixture, undo(1)), 409);
    fixture_assert_detail(&fixture, "entry 2 has changed percent of users since");
    fixture_done(&fixture);
}

static void a_value_that_the_files_changed_since_is_not_undone(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF)); /* 1 */
    fixture_write(&fixture, "stage = \"ramp\"; percent = 50;");
    fixture_change(&fixture, verb(CHANGE_SAVE)); /* 2 */
    fixture_write(&fixture, "stage = \"ramp\"; percent = 60;");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RELOAD)), 200);
    assert_int_equal(fixture_change(&fixture, undo(1)), 409);
    fixture_assert_detail(&fixture, "is not what entry 1 made it any more");
    fixture_done(&fixture);
}

/* --- freeze -------------------------------------------------------------------------------- */

static void a_freeze_ends_by_command_or_by_itself(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_FREEZE)), 200);
    assert_true(fixture_module(&fixture, "users").frozen);
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_UNFREEZE)), 200);
    assert_false(fixture_module(&fixture, "users").frozen);
    struct change change = verb(CHANGE_FREEZE);
    change.ttl_ms = 5000;
    assert_int_equal(fixture_change(&fixture, change), 200);
    fixture_wait(&fixture, 4000);
    assert_true(fixture_module(&fixture, "users").frozen);
    fixture_wait(&fixture, 1000);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_done(&fixture);
}

static void a_second_freeze_prolongs_and_never_shortens(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct change change = verb(CHANGE_FREEZE);
    change.ttl_ms = 5000;
    fixture_change(&fixture, change);
    fixture_wait(&fixture, 3000);
    assert_int_equal(fixture_change(&fixture, change), 200);
    fixture_wait(&fixture, 3000);
    assert_true(fixture_module(&fixture, "users").frozen);
    change.ttl_ms = 1;
    assert_int_equal(fixture_change(&fixture, change), 200);
    fixture_wait(&fixture, 1000);
    assert_true(fixture_module(&fixture, "users").frozen);
    fixture_wait(&fixture, 1000);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_done(&fixture);
}

static void undo_ends_a_freeze_and_passes_over_one_that_is_over(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, verb(CHANGE_FREEZE));
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_change(&fixture, verb(CHANGE_FREEZE));
    fixture_wait(&fixture, CHANGE_TTL_MS);
    assert_int_equal(fixture_change(&fixture, undo(0)), 200);
    assert_int_equal(fixture_module(&fixture, "users").threshold, QUARTER);
    fixture_done(&fixture);
}

/* --- reload and save ----------------------------------------------------------------------- */

static void a_reload_answers_what_is_wrong_with_the_files(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_write(&fixture, "stage = \"rampp\";");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RELOAD)), 422);
    fixture_assert_detail(&fixture, "error[unknown-word]");
    fixture_assert_detail(&fixture, "routes.cfg:");
    assert_false(fixture.result.changed);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    assert_int_equal(fixture_live(&fixture, "users")->file[LIVE_PERCENT], QUARTER);
    fixture_done(&fixture);
}

static void a_reload_drops_only_what_the_files_have_overtaken(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    fixture_change(&fixture, stage(STAGE_LIVE));
    fixture_write(&fixture, "stage = \"ramp\"; percent = 30;");
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_RELOAD)), 200);
    assert_int_equal(fixture.result.entry, 3);
    assert_int_equal(fixture_module(&fixture, "users").threshold, 300000);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_restart(&fixture, NULL);
    assert_int_equal(fixture_module(&fixture, "users").threshold, 300000);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_LIVE);
    fixture_done(&fixture);
}

static void what_is_saved_is_no_override_any_more(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_change(&fixture, percent(HALF));
    uint64_t generation = control_generation(&fixture.control);
    fixture_write(&fixture, "stage = \"ramp\"; percent = 50;");
    assert_int_equal(fixture_change(&fixture, verb(CHANGE_SAVE)), 200);
    assert_true(fixture.result.changed);
    assert_int_equal(control_generation(&fixture.control), generation);
    assert_int_equal(live_module_overrides(fixture_live(&fixture, "users")), 0);
    assert_int_equal(fixture_change(&fixture, verb_for_all(CHANGE_SAVE)), 200);
    assert_false(fixture.result.changed);
    fixture_restart(&fixture, NULL);
    assert_int_equal(fixture_module(&fixture, "users").threshold, HALF);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_one_generation_and_one_entry),
        cmocka_unit_test(what_is_so_already_makes_no_generation_and_no_entry),
        cmocka_unit_test(a_refused_change_changes_nothing),
        cmocka_unit_test(a_name_that_is_too_long_is_no_module),
        cmocka_unit_test(the_second_of_two_editors_is_refused),
        cmocka_unit_test(while_the_proxy_ends_nothing_is_changed),
        cmocka_unit_test(nobody_orders_what_the_proxy_does_by_itself),
        cmocka_unit_test(an_owner_that_is_forgotten_gets_no_answer),
        cmocka_unit_test(an_abort_holds_until_somebody_resumes),
        cmocka_unit_test(an_abort_of_everything_is_one_entry_that_one_undo_takes_back),
        cmocka_unit_test(everything_is_resumed_at_once),
        cmocka_unit_test(an_abort_of_everything_passes_over_what_is_retired),
        cmocka_unit_test(an_abort_at_night_outlives_the_reload_in_the_morning),
        cmocka_unit_test(undo_after_undo_leads_further_back),
        cmocka_unit_test(an_undo_can_be_taken_back_by_its_number),
        cmocka_unit_test(what_something_later_stands_on_is_not_undone),
        cmocka_unit_test(a_jump_can_be_undone),
        cmocka_unit_test(entries_that_are_not_there_or_are_nothing_to_undo),
        cmocka_unit_test(what_the_files_changed_is_undone_in_the_files),
        cmocka_unit_test(a_value_that_the_files_changed_since_is_not_undone),
        cmocka_unit_test(a_freeze_ends_by_command_or_by_itself),
        cmocka_unit_test(a_second_freeze_prolongs_and_never_shortens),
        cmocka_unit_test(undo_ends_a_freeze_and_passes_over_one_that_is_over),
        cmocka_unit_test(a_reload_answers_what_is_wrong_with_the_files),
        cmocka_unit_test(a_reload_drops_only_what_the_files_have_overtaken),
        cmocka_unit_test(what_is_saved_is_no_override_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
