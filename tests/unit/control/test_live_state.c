#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/control/live_state.h"

static const struct live_note note = {.who = "ada", .why = "because", .unix_ms = 17};

/* One module, declared by files that say this. */
struct fixture {
    struct live_state *live;
    struct module_table *files;
    struct live_items items;
};

static void declare(struct fixture *fixture, enum stage stage, uint32_t threshold,
                    enum write_owner owner)
{
    struct module *module = &fixture->files->modules[0];
    module->name = STRVIEW("users");
    module->stage = stage;
    module->threshold = threshold;
    module->write_owner = owner;
    live_items_done(&fixture->items);
    live_state_declare(fixture->live, fixture->files, &fixture->items);
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.live = live_state_new(), .files = module_table_new(1)};
    declare(fixture, STAGE_RAMP, 250000, WRITE_OWNER_LEGACY);
}

static void end(struct fixture *fixture)
{
    live_state_free(fixture->live);
    module_table_unref(fixture->files);
    live_items_done(&fixture->items);
}

static struct live_module *users(const struct fixture *fixture)
{
    return live_state_find(fixture->live, STRVIEW("users"));
}

static void set(struct fixture *fixture, enum live_key key, uint64_t value)
{
    live_items_done(&fixture->items);
    live_module_set(users(fixture), key, value, &note, &fixture->items);
}

/* What would be published. */
static struct module in_force(struct fixture *fixture)
{
    struct module_table *table = module_table_copy(fixture->files);
    live_state_fill(fixture->live, table);
    struct module module = table->modules[0];
    module_table_unref(table);
    return module;
}

static void without_commands_the_files_are_in_force(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    struct module module = in_force(&fixture);
    assert_int_equal(module.stage, STAGE_RAMP);
    assert_int_equal(module.threshold, 250000);
    assert_int_equal(module.write_owner, WRITE_OWNER_LEGACY);
    assert_false(module.aborted);
    assert_false(module.frozen);
    assert_int_equal(fixture.items.count, 0);
    end(&fixture);
}

static void a_command_overrides_the_file(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_PERCENT, 500000);
    assert_int_equal(in_force(&fixture).threshold, 500000);
    assert_int_equal(live_module_overrides(users(&fixture)), 1);
    assert_int_equal(users(&fixture)->overrides[LIVE_PERCENT].file, 250000);
    assert_string_equal(users(&fixture)->overrides[LIVE_PERCENT].note.who, "ada");
    assert_int_equal(fixture.items.count, 1);
    assert_string_equal(fixture.items.items[0].module, "users");
    assert_int_equal(fixture.items.items[0].from, 250000);
    assert_int_equal(fixture.items.items[0].to, 500000);
    end(&fixture);
}

static void a_command_back_to_the_file_leaves_no_override(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_STAGE, STAGE_LIVE);
    set(&fixture, LIVE_STAGE, STAGE_RAMP);
    assert_int_equal(live_module_overrides(users(&fixture)), 0);
    assert_int_equal(fixture.items.items[0].from, STAGE_LIVE);
    end(&fixture);
}

static void setting_what_is_so_already_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_STAGE, STAGE_RAMP);
    assert_int_equal(fixture.items.count, 0);
    assert_int_equal(live_module_overrides(users(&fixture)), 0);
    end(&fixture);
}

static void an_override_survives_a_reload_of_the_same_value(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_PERCENT, 500000);
    declare(&fixture, STAGE_LIVE, 250000, WRITE_OWNER_LEGACY); /* another key */
    assert_int_equal(fixture.items.count, 0);
    assert_int_equal(in_force(&fixture).threshold, 500000);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    end(&fixture);
}

static void an_override_is_dropped_when_the_file_says_something_new(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_PERCENT, 500000);
    set(&fixture, LIVE_STAGE, STAGE_LIVE);
    declare(&fixture, STAGE_RAMP, 300000, WRITE_OWNER_LEGACY);
    assert_int_equal(in_force(&fixture).threshold, 300000);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    assert_int_equal(fixture.items.count, 1);
    assert_int_equal(fixture.items.items[0].key, LIVE_PERCENT);
    assert_int_equal(fixture.items.items[0].from, 500000);
    assert_int_equal(fixture.items.items[0].to, 300000);
    declare(&fixture, STAGE_RAMP, 250000, WRITE_OWNER_LEGACY); /* it does not come back */
    assert_int_equal(in_force(&fixture).threshold, 250000);
    end(&fixture);
}

static void an_override_from_the_journal_is_compared_with_the_file_of_the_start(void **state)
{
    (void)state;
    struct fixture fixture = {.live = live_state_new(), .files = module_table_new(1)};
    struct live_module *module = live_state_get(fixture.live, STRVIEW("users"));
    module->overrides[LIVE_PERCENT] =
        (struct live_override){.on = true, .file = 250000, .running = 500000};
    module->overrides[LIVE_STAGE] =
        (struct live_override){.on = true, .file = STAGE_LEGACY, .running = STAGE_LIVE};
    declare(&fixture, STAGE_RAMP, 250000, WRITE_OWNER_LEGACY); /* the stage was edited */
    assert_int_equal(in_force(&fixture).threshold, 500000);
    assert_int_equal(in_force(&fixture).stage, STAGE_RAMP);
    assert_int_equal(fixture.items.count, 1);
    end(&fixture);
}

static void a_latch_holds_whatever_is_stored_meanwhile(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_ABORTED, 1);
    declare(&fixture, STAGE_RAMP, 500000, WRITE_OWNER_LEGACY);
    set(&fixture, LIVE_STAGE, STAGE_LIVE);
    assert_true(in_force(&fixture).aborted);
    set(&fixture, LIVE_ABORTED, 0);
    assert_false(in_force(&fixture).aborted);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    assert_int_equal(in_force(&fixture).threshold, 500000);
    end(&fixture);
}

static void an_aborted_module_does_not_retire_by_the_files(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    users(&fixture)->owner = WRITE_OWNER_EXTRACTED;
    users(&fixture)->owner_known = true;
    declare(&fixture, STAGE_LIVE, 250000, WRITE_OWNER_EXTRACTED);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    set(&fixture, LIVE_ABORTED, 1);
    declare(&fixture, STAGE_RETIRED, 250000, WRITE_OWNER_EXTRACTED);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    set(&fixture, LIVE_ABORTED, 0);
    assert_int_equal(in_force(&fixture).stage, STAGE_RETIRED);
    end(&fixture);
}

static void retired_waits_for_the_new_owner_in_the_stage_that_was(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    in_force(&fixture);
    declare(&fixture, STAGE_RETIRED, 250000, WRITE_OWNER_EXTRACTED);
    assert_true(live_module_needs_flip(users(&fixture)));
    assert_int_equal(in_force(&fixture).stage, STAGE_RAMP);
    assert_int_equal(in_force(&fixture).write_owner, WRITE_OWNER_LEGACY);
    users(&fixture)->owner = WRITE_OWNER_EXTRACTED;
    assert_false(live_module_needs_flip(users(&fixture)));
    assert_int_equal(in_force(&fixture).stage, STAGE_RETIRED);
    end(&fixture);
}

static void a_start_as_retired_with_writes_on_legacy_begins_as_live(void **state)
{
    (void)state;
    struct fixture fixture = {.live = live_state_new(), .files = module_table_new(1)};
    struct live_module *module = live_state_get(fixture.live, STRVIEW("users"));
    module->owner = WRITE_OWNER_LEGACY;
    module->owner_known = true;
    declare(&fixture, STAGE_RETIRED, 0, WRITE_OWNER_EXTRACTED);
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    assert_int_equal(in_force(&fixture).write_owner, WRITE_OWNER_LEGACY);
    end(&fixture);
}

static void a_retired_module_leaves_that_stage_before_its_writes_move(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    declare(&fixture, STAGE_LIVE, 0, WRITE_OWNER_EXTRACTED);
    users(&fixture)->owner = WRITE_OWNER_EXTRACTED;
    users(&fixture)->owner_known = true;
    set(&fixture, LIVE_STAGE, STAGE_RETIRED);
    assert_int_equal(in_force(&fixture).stage, STAGE_RETIRED);
    declare(&fixture, STAGE_LIVE, 0, WRITE_OWNER_LEGACY); /* the stage is still overridden */
    assert_true(live_module_needs_flip(users(&fixture)));
    assert_int_equal(in_force(&fixture).stage, STAGE_LIVE);
    end(&fixture);
}

static void a_module_that_is_new_needs_no_flip(void **state)
{
    (void)state;
    struct fixture fixture = {.live = live_state_new(), .files = module_table_new(1)};
    declare(&fixture, STAGE_LIVE, 0, WRITE_OWNER_EXTRACTED);
    assert_false(live_module_needs_flip(users(&fixture)));
    assert_int_equal(in_force(&fixture).write_owner, WRITE_OWNER_EXTRACTED);
    declare(&fixture, STAGE_LIVE, 0, WRITE_OWNER_LEGACY);
    assert_true(live_module_needs_flip(users(&fixture)));
    assert_int_equal(in_force(&fixture).write_owner, WRITE_OWNER_EXTRACTED);
    end(&fixture);
}

static void what_a_cut_off_flip_left_needs_one(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    in_force(&fixture);
    assert_false(live_module_needs_flip(users(&fixture)));
    users(&fixture)->unsettled = true;
    assert_true(live_module_needs_flip(users(&fixture)));
    end(&fixture);
}

static void a_module_is_frozen_by_command_and_by_a_flip(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_FROZEN, 99);
    assert_true(in_force(&fixture).frozen);
    users(&fixture)->flipping = true;
    set(&fixture, LIVE_FROZEN, 0);
    assert_true(in_force(&fixture).frozen);
    users(&fixture)->flipping = false;
    assert_false(in_force(&fixture).frozen);
    end(&fixture);
}

static void pend(struct fixture *fixture, enum live_key key, uint64_t value, uint64_t back_to)
{
    set(fixture, key, value);
    users(fixture)->pending =
        (struct live_pending){.entry = 5, .key = key, .value = value, .back_to = back_to};
}

static void a_later_change_of_the_same_key_ends_the_wait_for_confirmation(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    pend(&fixture, LIVE_PERCENT, 500000, 250000);
    set(&fixture, LIVE_STAGE, STAGE_LIVE);
    assert_int_equal(users(&fixture)->pending.entry, 5);
    set(&fixture, LIVE_PERCENT, 600000);
    assert_int_equal(users(&fixture)->pending.entry, 0);
    end(&fixture);
}

static void an_abort_leaves_the_wait_for_confirmation_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    pend(&fixture, LIVE_STAGE, STAGE_LIVE, STAGE_RAMP);
    set(&fixture, LIVE_ABORTED, 1);
    assert_int_equal(users(&fixture)->pending.entry, 5);
    end(&fixture);
}

static void an_abort_ends_the_wait_of_a_resume(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_ABORTED, 1);
    pend(&fixture, LIVE_ABORTED, 0, 1);
    set(&fixture, LIVE_ABORTED, 1);
    assert_int_equal(users(&fixture)->pending.entry, 0);
    end(&fixture);
}

static void a_file_that_changes_the_value_ends_the_wait_for_confirmation(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    pend(&fixture, LIVE_PERCENT, 500000, 250000);
    declare(&fixture, STAGE_LIVE, 250000, WRITE_OWNER_LEGACY);
    assert_int_equal(users(&fixture)->pending.entry, 5);
    declare(&fixture, STAGE_LIVE, 260000, WRITE_OWNER_LEGACY);
    assert_int_equal(users(&fixture)->pending.entry, 0);
    end(&fixture);
}

static void a_module_that_the_files_lose_keeps_what_was_changed(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    set(&fixture, LIVE_PERCENT, 500000);
    set(&fixture, LIVE_ABORTED, 1);
    struct module_table *none = module_table_new(0);
    live_items_done(&fixture.items);
    live_state_declare(fixture.live, none, &fixture.items);
    module_table_unref(none);
    assert_false(users(&fixture)->declared);
    assert_false(live_module_needs_flip(users(&fixture)));
    assert_int_equal(fixture.items.count, 0);
    declare(&fixture, STAGE_RAMP, 250000, WRITE_OWNER_LEGACY);
    assert_int_equal(in_force(&fixture).threshold, 500000);
    assert_true(in_force(&fixture).aborted);
    end(&fixture);
}

static void a_copy_is_changed_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture);
    struct live_state *copy = live_state_copy(fixture.live);
    struct live_module *changed = live_state_find(copy, STRVIEW("users"));
    assert_false(live_module_differs(users(&fixture), changed));
    live_module_set(changed, LIVE_ABORTED, 1, &note, &fixture.items);
    live_state_get(copy, STRVIEW("posts"));
    assert_true(live_module_differs(users(&fixture), live_state_find(copy, STRVIEW("users"))));
    assert_false(users(&fixture)->latch.on);
    assert_null(live_state_find(fixture.live, STRVIEW("posts")));
    live_state_free(copy);
    end(&fixture);
}

static void modules_may_stand_in_another_order(void **state)
{
    (void)state;
    struct live_state *live = live_state_new();
    struct live_items items = {.items = NULL};
    struct module_table *files = module_table_new(3);
    static const struct strview names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    for (uint32_t i = 0; i < 3; i++) {
        files->modules[i].name = names[i];
        files->modules[i].threshold = i;
    }
    live_state_declare(live, files, &items);
    struct module first = files->modules[0];
    files->modules[0] = files->modules[2];
    files->modules[2] = first;
    live_state_declare(live, files, &items);
    struct module_table *table = module_table_copy(files);
    live_state_fill(live, table);
    assert_int_equal(live->count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(table->modules[i].threshold, files->modules[i].threshold);
    module_table_unref(table);
    module_table_unref(files);
    live_items_done(&items);
    live_state_free(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_commands_the_files_are_in_force),
        cmocka_unit_test(a_command_overrides_the_file),
        cmocka_unit_test(a_command_back_to_the_file_leaves_no_override),
        cmocka_unit_test(setting_what_is_so_already_changes_nothing),
        cmocka_unit_test(an_override_survives_a_reload_of_the_same_value),
        cmocka_unit_test(an_override_is_dropped_when_the_file_says_something_new),
        cmocka_unit_test(an_override_from_the_journal_is_compared_with_the_file_of_the_start),
        cmocka_unit_test(a_latch_holds_whatever_is_stored_meanwhile),
        cmocka_unit_test(an_aborted_module_does_not_retire_by_the_files),
        cmocka_unit_test(retired_waits_for_the_new_owner_in_the_stage_that_was),
        cmocka_unit_test(a_start_as_retired_with_writes_on_legacy_begins_as_live),
        cmocka_unit_test(a_retired_module_leaves_that_stage_before_its_writes_move),
        cmocka_unit_test(a_module_that_is_new_needs_no_flip),
        cmocka_unit_test(what_a_cut_off_flip_left_needs_one),
        cmocka_unit_test(a_module_is_frozen_by_command_and_by_a_flip),
        cmocka_unit_test(a_later_change_of_the_same_key_ends_the_wait_for_confirmation),
        cmocka_unit_test(an_abort_leaves_the_wait_for_confirmation_alone),
        cmocka_unit_test(an_abort_ends_the_wait_of_a_resume),
        cmocka_unit_test(a_file_that_changes_the_value_ends_the_wait_for_confirmation),
        cmocka_unit_test(a_module_that_the_files_lose_keeps_what_was_changed),
        cmocka_unit_test(a_copy_is_changed_alone),
        cmocka_unit_test(modules_may_stand_in_another_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
