/* What else is ordered while a write owner is being changed. */
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
    fixture_assert_detail(&fixture, "busy");
    other.verb = CHANGE_WRITES;
    other.owner = WRITE_OWNER_EXTRACTED;
    fixture_order(&fixture, other);
    assert_int_equal(fixture.result.status, 409);
    fixture_let_go(&fixture);
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
    fixture_let_go(&fixture);
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
    fixture_let_go(&fixture); /* not seen before the order */
    fixture_order(&fixture, abort_with_writes());
    assert_true(fixture_module(&fixture, "users").aborted);
    fixture_settle(&fixture);
    assert_int_equal(fixture.answers, 2);
    assert_int_equal(fixture.result.status, 200); /* of the abort; the first was a refusal */
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    assert_false(fixture_module(&fixture, "users").frozen);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
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
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 3\n");
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
    fixture_assert_detail(&fixture, "writes of users stay with extracted");
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
    fixture_let_go(&fixture);
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
    fixture_hold_program(&fixture);
    fixture_write(&fixture, "stage = \"retired\"; write_owner = \"extracted\";");
    fixture_order(&fixture, (struct change){.verb = CHANGE_RELOAD});
    fixture_wait_told(&fixture, "users extracted 2\n");
    assert_int_equal(fixture.answers, 0);
    assert_int_equal(fixture_module(&fixture, "users").stage, STAGE_RAMP);
    fixture_let_go(&fixture);
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
    fixture_let_go(&fixture);
    fixture.control.draining = true;
    flip_cancel(&fixture.control.flip);
    fixture_settle(&fixture);
    assert_int_equal(fixture.result.status, 503);
    fixture_assert_told(&fixture, "users extracted 2\nusers legacy 4\n");
    assert_int_equal(owner(&fixture), WRITE_OWNER_LEGACY);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
