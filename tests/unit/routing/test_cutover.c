#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/bucket.h"
#include "proxy/routing/cutover.h"

/* Bucket 243322 in cohort "users". */
static const struct identity somebody = {.value = {"192.0.2.1", 9}, .kind = IDENTITY_ADDRESS};
static const struct identity nobody = {.kind = IDENTITY_NONE};

enum { SOMEBODYS_BUCKET = 243322 };

static struct module module_at(enum stage stage, enum write_owner owner)
{
    return (struct module){.name = STRVIEW("users"),
                           .cohort = STRVIEW("users"),
                           .stage = stage,
                           .threshold = BUCKET_COUNT / 2,
                           .write_owner = owner};
}

/* Of a request that asks for no side. */
static struct cutover decide(const struct module *module, bool is_write,
                             const struct identity *identity)
{
    const struct cutover_facts facts = {.is_write = is_write, .identity = identity};
    return cutover_decide(module, &facts);
}

static void assert_decision(const struct module *module, bool is_write,
                            const struct identity *identity, enum side side, enum reason reason)
{
    struct cutover cutover = decide(module, is_write, identity);
    assert_int_equal(cutover.side, side);
    assert_int_equal(cutover.reason, reason);
}

static void the_stage_decides_about_reads(void **state)
{
    (void)state;
    static const struct {
        enum stage stage;
        enum side side;
        enum reason reason;
    } rows[] = {
        {STAGE_LEGACY, SIDE_LEGACY, REASON_STAGE},       {STAGE_SHADOW, SIDE_LEGACY, REASON_STAGE},
        {STAGE_RAMP, SIDE_EXTRACTED, REASON_BUCKET},     {STAGE_LIVE, SIDE_EXTRACTED, REASON_STAGE},
        {STAGE_RETIRED, SIDE_EXTRACTED, REASON_RETIRED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct module module = module_at(rows[i].stage, WRITE_OWNER_LEGACY);
        assert_decision(&module, false, &somebody, rows[i].side, rows[i].reason);
    }
}

static void a_ramp_splits_by_bucket_and_strictly(void **state)
{
    (void)state;
    struct module module = module_at(STAGE_RAMP, WRITE_OWNER_LEGACY);
    module.threshold = SOMEBODYS_BUCKET;
    struct cutover cutover = decide(&module, false, &somebody);
    assert_int_equal(cutover.side, SIDE_LEGACY);
    assert_true(cutover.has_bucket);
    assert_int_equal(cutover.bucket, SOMEBODYS_BUCKET);
    module.threshold = SOMEBODYS_BUCKET + 1;
    assert_decision(&module, false, &somebody, SIDE_EXTRACTED, REASON_BUCKET);
}

static void nobody_stays_on_legacy_in_a_ramp(void **state)
{
    (void)state;
    struct module module = module_at(STAGE_RAMP, WRITE_OWNER_LEGACY);
    module.threshold = BUCKET_COUNT;
    assert_decision(&module, false, &nobody, SIDE_LEGACY, REASON_NO_IDENTITY);
    assert_false(decide(&module, false, &nobody).has_bucket);
}

static void an_abort_sends_reads_to_legacy_in_every_stage_but_retired(void **state)
{
    (void)state;
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        struct module module = module_at((enum stage)stage, WRITE_OWNER_LEGACY);
        module.aborted = true;
        bool retired = stage == STAGE_RETIRED;
        assert_decision(&module, false, &somebody, retired ? SIDE_EXTRACTED : SIDE_LEGACY,
                        retired ? REASON_RETIRED : REASON_ABORT);
    }
}

static void writes_go_to_their_owner_in_every_stage_but_retired(void **state)
{
    (void)state;
    for (int stage = STAGE_LEGACY; stage < STAGE_RETIRED; stage++) {
        for (int aborted = 0; aborted < 2; aborted++) {
            struct module module = module_at((enum stage)stage, WRITE_OWNER_LEGACY);
            module.aborted = aborted == 1;
            assert_decision(&module, true, &somebody, SIDE_LEGACY, REASON_WRITE_OWNER);
            module.write_owner = WRITE_OWNER_EXTRACTED;
            assert_decision(&module, true, &somebody, SIDE_EXTRACTED, REASON_WRITE_OWNER);
        }
    }
    struct module retired = module_at(STAGE_RETIRED, WRITE_OWNER_EXTRACTED);
    assert_decision(&retired, true, &somebody, SIDE_EXTRACTED, REASON_RETIRED);
}

static void following_writes_go_where_the_reads_of_that_identity_go(void **state)
{
    (void)state;
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        for (int aborted = 0; aborted < 2; aborted++) {
            struct module module = module_at((enum stage)stage, WRITE_OWNER_FOLLOW);
            module.aborted = aborted == 1;
            enum side somebodys = decide(&module, false, &somebody).side;
            assert_int_equal(decide(&module, true, &somebody).side, somebodys);
            enum side nobodys = decide(&module, false, &nobody).side;
            assert_int_equal(decide(&module, true, &nobody).side, nobodys);
        }
    }
}

/* --- overrides and pins -------------------------------------------------------------------- */

static const enum side sides[] = {SIDE_LEGACY, SIDE_EXTRACTED};

/* extracted before `ramp`, legacy in `retired` */
static bool is_closed(int stage, enum side side)
{
    return side == SIDE_EXTRACTED ? stage < STAGE_RAMP : stage == STAGE_RETIRED;
}

static enum side other(enum side side)
{
    return side == SIDE_LEGACY ? SIDE_EXTRACTED : SIDE_LEGACY;
}

/* The order of decision for reads, one rule a line. */
static void assert_read_order(const struct module *module, const struct cutover_facts *facts)
{
    struct cutover cutover = cutover_decide(module, facts);
    if (module->stage == STAGE_RETIRED)
        assert_int_equal(cutover.reason, REASON_RETIRED);
    else if (module->aborted)
        assert_int_equal(cutover.reason, REASON_ABORT);
    else if (facts->override != SIDE_NONE && !is_closed(module->stage, facts->override))
        assert_int_equal(cutover.reason, REASON_OVERRIDE);
    else if (facts->pin != SIDE_NONE && !is_closed(module->stage, facts->pin))
        assert_int_equal(cutover.reason, REASON_PIN);
    else
        assert_int_equal(cutover.reason,
                         module->stage == STAGE_RAMP ? REASON_BUCKET : REASON_STAGE);
    if (cutover.reason == REASON_OVERRIDE)
        assert_int_equal(cutover.side, facts->override);
    if (cutover.reason == REASON_PIN)
        assert_int_equal(cutover.side, facts->pin);
    assert_false(is_closed(module->stage, cutover.side));
    assert_int_equal(cutover.has_bucket, cutover.reason == REASON_BUCKET);
}

static void reads_are_decided_in_the_order_of_the_contract(void **state)
{
    (void)state;
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        for (unsigned bits = 0; bits < 2 * SIDE_COUNT * SIDE_COUNT; bits++) {
            struct module module = module_at((enum stage)stage, WRITE_OWNER_EXTRACTED);
            module.aborted = bits % 2 == 1;
            const struct cutover_facts facts = {
                .identity = &somebody,
                .override = (enum side)(bits / 2 % SIDE_COUNT),
                .pin = (enum side)(bits / 2 / SIDE_COUNT),
            };
            assert_read_order(&module, &facts);
        }
    }
}

static void closed_sides_are_those_that_serve_no_read(void **state)
{
    (void)state;
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        struct module module = module_at((enum stage)stage, WRITE_OWNER_LEGACY);
        for (int i = 0; i < 2; i++)
            assert_int_equal(cutover_is_closed(&module, sides[i]), is_closed(stage, sides[i]));
    }
}

static void a_write_is_overridden_only_into_a_shared_store(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct module module = module_at(STAGE_LIVE, sides[i] == SIDE_LEGACY ? WRITE_OWNER_EXTRACTED
                                                                             : WRITE_OWNER_LEGACY);
        const struct cutover_facts facts = {
            .is_write = true, .identity = &somebody, .override = sides[i]};
        struct cutover cutover = cutover_decide(&module, &facts);
        assert_int_equal(cutover.side, other(sides[i]));
        assert_int_equal(cutover.reason, REASON_WRITE_OWNER);
        module.shared_store = true;
        cutover = cutover_decide(&module, &facts);
        assert_int_equal(cutover.side, sides[i]);
        assert_int_equal(cutover.reason, REASON_OVERRIDE);
    }
}

static void an_overridden_write_waits_and_never_goes_to_a_closed_side(void **state)
{
    (void)state;
    const struct cutover_facts facts = {
        .is_write = true, .identity = &somebody, .override = SIDE_EXTRACTED};
    struct module module = module_at(STAGE_LIVE, WRITE_OWNER_LEGACY);
    module.shared_store = true;
    module.frozen = true;
    assert_int_equal(cutover_decide(&module, &facts).reason, REASON_FREEZE);
    module.frozen = false;
    module.aborted = true;
    assert_int_equal(cutover_decide(&module, &facts).reason, REASON_WRITE_OWNER);
    module.aborted = false;
    module.stage = STAGE_SHADOW;
    assert_int_equal(cutover_decide(&module, &facts).side, SIDE_LEGACY);
    module.stage = STAGE_RETIRED;
    const struct cutover_facts back = {
        .is_write = true, .identity = &somebody, .override = SIDE_LEGACY};
    assert_int_equal(cutover_decide(&module, &back).side, SIDE_EXTRACTED);
}

static void a_pin_says_nothing_about_writes(void **state)
{
    (void)state;
    static const enum write_owner owners[] = {WRITE_OWNER_LEGACY, WRITE_OWNER_EXTRACTED,
                                              WRITE_OWNER_FOLLOW};
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        struct module module = module_at(STAGE_RAMP, owners[i]);
        module.shared_store = true;
        struct cutover unpinned = decide(&module, true, &somebody);
        const struct cutover_facts facts = {
            .is_write = true, .identity = &somebody, .pin = other(unpinned.side)};
        assert_int_equal(cutover_decide(&module, &facts).side, unpinned.side);
    }
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (int i = 0; i < STAGE_COUNT; i++) {
        enum stage stage = STAGE_COUNT;
        assert_true(stage_parse(stage_name((enum stage)i), &stage));
        assert_int_equal(stage, i);
    }
    for (int i = 0; i < WRITE_OWNER_COUNT; i++) {
        enum write_owner owner = WRITE_OWNER_COUNT;
        assert_true(write_owner_parse(write_owner_name((enum write_owner)i), &owner));
        assert_int_equal(owner, i);
    }
    for (int i = 0; i < REASON_COUNT; i++)
        assert_true(reason_name((enum reason)i).length > 0);
    enum stage untouched = STAGE_RAMP;
    assert_false(stage_parse(STRVIEW("Live"), &untouched));
    assert_int_equal(untouched, STAGE_RAMP);
    enum write_owner owner;
    assert_false(write_owner_parse(STRVIEW(""), &owner));
}

static void a_module_is_found_by_its_name(void **state)
{
    (void)state;
    struct module_table *table = module_table_new(2);
    table->modules[0].name = arena_copy(&table->arena, STRVIEW("users"));
    table->modules[1].name = arena_copy(&table->arena, STRVIEW("posts"));
    module_table_unref(module_table_ref(table));
    assert_ptr_equal(module_table_find(table, STRVIEW("posts")), &table->modules[1]);
    assert_null(module_table_find(table, STRVIEW("post")));
    module_table_unref(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stage_decides_about_reads),
        cmocka_unit_test(a_ramp_splits_by_bucket_and_strictly),
        cmocka_unit_test(nobody_stays_on_legacy_in_a_ramp),
        cmocka_unit_test(an_abort_sends_reads_to_legacy_in_every_stage_but_retired),
        cmocka_unit_test(writes_go_to_their_owner_in_every_stage_but_retired),
        cmocka_unit_test(following_writes_go_where_the_reads_of_that_identity_go),
        cmocka_unit_test(reads_are_decided_in_the_order_of_the_contract),
        cmocka_unit_test(closed_sides_are_those_that_serve_no_read),
        cmocka_unit_test(a_write_is_overridden_only_into_a_shared_store),
        cmocka_unit_test(an_overridden_write_waits_and_never_goes_to_a_closed_side),
        cmocka_unit_test(a_pin_says_nothing_about_writes),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(a_module_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
