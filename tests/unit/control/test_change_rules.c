/* Every verb in every stage. The lines are those of the table in routes/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/control/change_rules.h"
#include "proxy/core/array.h"
#include "proxy/routing/bucket.h"

/* How the module is, beyond its stage. */
enum {
    PLAIN = 0,
    WRITES_EXTRACTED = 1, /* in stage retired in any case */
    ABORTED = 2,
    FROZEN = 4,
    WAITING = 8, /* a change waits to be confirmed */
    WITHOUT_SHADOW = 16,
};

struct row {
    const char *line; /* command, then a cell for each stage */
    unsigned how;
    struct change change;
};

#define TO_STAGE(to)                                                                               \
    {                                                                                              \
        .verb = CHANGE_STAGE, .stage = (to)                                                        \
    }
#define TO_OWNER(to)                                                                               \
    {                                                                                              \
        .verb = CHANGE_WRITES, .owner = (to)                                                       \
    }
#define TO_HALF                                                                                    \
    {                                                                                              \
        .verb = CHANGE_PERCENT, .threshold = BUCKET_COUNT / 2                                      \
    }
#define VERB(name)                                                                                 \
    {                                                                                              \
        .verb = (name)                                                                             \
    }

/* clang-format off */
static const struct row rows[] = {
    {"| `stage M legacy` | nothing | done | `--force` | `--force` | `--force` |",
     PLAIN, TO_STAGE(STAGE_LEGACY)},
    {"| `stage M shadow` | done | nothing | done | `--force` | `--force` |",
     PLAIN, TO_STAGE(STAGE_SHADOW)},
    {"| `stage M ramp` | `--force` | done | nothing | done | `--force` |",
     PLAIN, TO_STAGE(STAGE_RAMP)},
    {"| `stage M live` | `--force` | `--force` | done | nothing | done |",
     PLAIN, TO_STAGE(STAGE_LIVE)},
    {"| `stage M retired`, writes on extracted | `--force` | `--force` | `--force` | done | nothing |",
     WRITES_EXTRACTED, TO_STAGE(STAGE_RETIRED)},
    {"| `stage M retired`, writes on legacy | refused | refused | refused | refused | – |",
     PLAIN, TO_STAGE(STAGE_RETIRED)},
    {"| `stage M retired`, aborted | refused | refused | refused | refused | – |",
     WRITES_EXTRACTED | ABORTED, TO_STAGE(STAGE_RETIRED)},
    {"| `stage M live`, aborted | `--force` | `--force` | stored | nothing | – |",
     ABORTED, TO_STAGE(STAGE_LIVE)},
    {"| `stage M legacy`, no group `shadow` | nothing | done | done | `--force` | `--force` |",
     WITHOUT_SHADOW, TO_STAGE(STAGE_LEGACY)},
    {"| `stage M shadow`, no group `shadow` | refused | nothing | refused | refused | refused |",
     WITHOUT_SHADOW, TO_STAGE(STAGE_SHADOW)},
    {"| `stage M ramp`, no group `shadow` | done | done | nothing | done | `--force` |",
     WITHOUT_SHADOW, TO_STAGE(STAGE_RAMP)},
    {"| `percent M 50` | stored | stored | done | stored | refused |",
     PLAIN, TO_HALF},
    {"| `percent M 50`, aborted | stored | stored | stored | stored | – |",
     ABORTED, TO_HALF},
    {"| `abort M` | done | done | done | done | refused |",
     PLAIN, VERB(CHANGE_ABORT)},
    {"| `abort M`, aborted | nothing | nothing | nothing | nothing | – |",
     ABORTED, VERB(CHANGE_ABORT)},
    {"| `resume M`, aborted | done | done | done | done | – |",
     ABORTED, VERB(CHANGE_RESUME)},
    {"| `resume M` | nothing | nothing | nothing | nothing | nothing |",
     PLAIN, VERB(CHANGE_RESUME)},
    {"| `writes M extracted` | done | done | done | done | nothing |",
     PLAIN, TO_OWNER(WRITE_OWNER_EXTRACTED)},
    {"| `writes M extracted`, they are | nothing | nothing | nothing | nothing | nothing |",
     WRITES_EXTRACTED, TO_OWNER(WRITE_OWNER_EXTRACTED)},
    {"| `writes M legacy`, writes on extracted | done | done | done | done | refused |",
     WRITES_EXTRACTED, TO_OWNER(WRITE_OWNER_LEGACY)},
    {"| `writes M legacy`, they are | nothing | nothing | nothing | nothing | – |",
     PLAIN, TO_OWNER(WRITE_OWNER_LEGACY)},
    {"| `freeze M` | done | done | done | done | refused |",
     PLAIN, VERB(CHANGE_FREEZE)},
    {"| `freeze M`, frozen: prolongs | done | done | done | done | – |",
     FROZEN, VERB(CHANGE_FREEZE)},
    {"| `unfreeze M`, frozen | done | done | done | done | – |",
     FROZEN, VERB(CHANGE_UNFREEZE)},
    {"| `unfreeze M` | nothing | nothing | nothing | nothing | nothing |",
     PLAIN, VERB(CHANGE_UNFREEZE)},
    {"| `confirm M`, something waits for it | done | done | done | done | done |",
     WAITING, VERB(CHANGE_CONFIRM)},
    {"| `confirm M` | refused | refused | refused | refused | refused |",
     PLAIN, VERB(CHANGE_CONFIRM)},
    {"| `stage M live`, another change waits | `--force` | `--force` | `--force` | nothing | `--force` |",
     WAITING, TO_STAGE(STAGE_LIVE)},
    {"| `percent M 50`, another change waits | `--force` | `--force` | `--force` | `--force` | refused |",
     WAITING, TO_HALF},
    {"| `writes M extracted`, another change waits | `--force` | `--force` | `--force` | `--force` | nothing |",
     WAITING, TO_OWNER(WRITE_OWNER_EXTRACTED)},
    {"| `resume M`, aborted, another change waits | `--force` | `--force` | `--force` | `--force` | – |",
     ABORTED | WAITING, VERB(CHANGE_RESUME)},
    {"| `abort M`, another change waits | done | done | done | done | refused |",
     WAITING, VERB(CHANGE_ABORT)},
};
/* clang-format on */

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), LINE_MAX_BYTES = 256 };

static struct live_module module_at(enum stage stage, unsigned how)
{
    bool extracted = stage == STAGE_RETIRED || (how & WRITES_EXTRACTED) != 0;
    enum write_owner owner = extracted ? WRITE_OWNER_EXTRACTED : WRITE_OWNER_LEGACY;
    struct live_module module = {
        .name = "users",
        .declared = true,
        .shadow = (how & WITHOUT_SHADOW) != 0 ? MODULE_SHADOW_NONE : MODULE_SHADOW_COMPLETE,
        .file = {stage, BUCKET_COUNT / 4, owner},
        .latch.on = (how & ABORTED) != 0,
        .freeze.until_unix_ms = (how & FROZEN) != 0,
        .owner = owner,
        .owner_known = true,
        .acting_stage = stage,
    };
    if ((how & WAITING) != 0)
        module.pending =
            (struct live_pending){.entry = 7, .key = LIVE_PERCENT, .value = BUCKET_COUNT / 4};
    return module;
}

/* What came of it, in the word of the table. */
static const char *outcome(const struct live_module *module, struct change change)
{
    struct change_result result = {.status = 200};
    struct change_result forced = {.status = 200};
    change.module = STRVIEW("users");
    switch (change_judge(module, &change, &result)) {
    case CHANGE_RULE_NOTHING:
        assert_string_not_equal(result.note, "");
        return "nothing";
    case CHANGE_RULE_CHANGES:
        return strncmp(result.note, "stored", 6) == 0 ? "stored" : "done";
    case CHANGE_RULE_REFUSED:
        break;
    }
    assert_int_equal(result.status, 409);
    assert_string_equal(result.title, "Conflict");
    assert_non_null(strstr(result.detail, "users"));
    change.force = true;
    bool helps = change_judge(module, &change, &forced) == CHANGE_RULE_CHANGES;
    assert_int_equal(helps, strstr(result.detail, "--force") != NULL);
    return helps ? "`--force`" : "refused";
}

static bool is_possible(enum stage stage, unsigned how)
{
    return stage != STAGE_RETIRED || (how & (ABORTED | FROZEN)) == 0;
}

/* "| command | cell | …" as it comes out. */
static void write_line(const struct row *row, char line[static LINE_MAX_BYTES])
{
    size_t command = strcspn(row->line + 1, "|") + 1;
    size_t used = (size_t)snprintf(line, LINE_MAX_BYTES, "%.*s|", (int)command, row->line);
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        struct live_module module = module_at((enum stage)stage, row->how);
        const char *word = strstr(row->line + used, "–") == row->line + used + 1
                               ? "–"
                               : outcome(&module, row->change);
        if (!is_possible((enum stage)stage, row->how))
            assert_string_equal(word, "–");
        used += (size_t)snprintf(line + used, LINE_MAX_BYTES - used, " %s |", word);
    }
}

static void every_verb_does_in_every_stage_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char line[LINE_MAX_BYTES];
        write_line(&rows[i], line);
        assert_string_equal(line, rows[i].line);
    }
}

static char *read_readme(void)
{
    FILE *file = fopen(README, "r");
    assert_non_null(file);
    char *text = memory_zalloc(1024 * 1024);
    size_t length = fread(text, 1, 1024 * 1024 - 1, file);
    assert_true(length > 0 && length < 1024 * 1024 - 1);
    fclose(file);
    return text;
}

static void the_readme_has_the_same_table(void **state)
{
    (void)state;
    char *text = read_readme();
    const char *place = strstr(text, "## Changes by command");
    assert_non_null(place);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        place = strstr(place, rows[i].line);
        if (place == NULL)
            fail_msg("routes/README.md lacks, or has in another order: %s", rows[i].line);
    }
    free(text);
}

static void while_writes_are_moved_only_an_abort_is_taken(void **state)
{
    (void)state;
    struct live_module module = module_at(STAGE_RAMP, ABORTED);
    module.flipping = true;
    for (int verb = 0; verb <= CHANGE_CONFIRM; verb++) {
        struct change change = {.verb = (enum change_verb)verb, .force = true};
        struct change_result result = {.status = 200};
        bool refused = change_judge(&module, &change, &result) == CHANGE_RULE_REFUSED;
        assert_int_equal(refused, verb != CHANGE_ABORT);
        if (refused)
            assert_non_null(strstr(result.detail, "busy"));
    }
}

static void copies_without_a_percent_are_refused(void **state)
{
    (void)state;
    static const enum stage stages[] = {STAGE_SHADOW, STAGE_RAMP, STAGE_LIVE};
    struct live_module module = module_at(STAGE_LEGACY, PLAIN);
    module.shadow = MODULE_SHADOW_WITHOUT_PERCENT;
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        struct change change = {.verb = CHANGE_STAGE, .stage = stages[i], .force = true};
        struct change_result result = {.status = 200};
        assert_int_equal(change_judge(&module, &change, &result), CHANGE_RULE_REFUSED);
        assert_non_null(strstr(result.detail, "`percent` is missing"));
    }
}

static void an_owner_that_a_flip_has_yet_to_set_is_no_reason_to_retire(void **state)
{
    (void)state;
    struct change change = {.verb = CHANGE_STAGE, .stage = STAGE_RETIRED};
    struct change_result result = {.status = 200};
    struct live_module module = module_at(STAGE_LIVE, PLAIN);
    module.file[LIVE_WRITE_OWNER] = WRITE_OWNER_EXTRACTED;
    assert_int_equal(change_judge(&module, &change, &result), CHANGE_RULE_REFUSED);
    module = module_at(STAGE_LIVE, WRITES_EXTRACTED);
    module.unsettled = true;
    assert_int_equal(change_judge(&module, &change, &result), CHANGE_RULE_REFUSED);
}

static void what_a_cut_off_change_left_open_can_be_settled_by_the_same_owner(void **state)
{
    (void)state;
    struct change change = {.verb = CHANGE_WRITES, .owner = WRITE_OWNER_LEGACY};
    struct change_result result = {.status = 200};
    struct live_module module = module_at(STAGE_LIVE, PLAIN);
    module.unsettled = true;
    assert_int_equal(change_judge(&module, &change, &result), CHANGE_RULE_CHANGES);
}

static void assert_sensible(struct change change, bool expected, const char *detail)
{
    struct change_result result = {.status = 200};
    assert_int_equal(change_is_sensible(&change, &result), expected);
    assert_int_equal(result.status, expected ? 200 : 422);
    assert_non_null(strstr(result.detail, detail));
}

static void orders_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    char text[LIVE_WHY_BYTES + 1];
    memset(text, 'x', sizeof(text));
    struct strview users = STRVIEW("users");
    const struct {
        struct change change;
        bool sensible;
        const char *detail;
    } cases[] = {
        {{.verb = CHANGE_PERCENT, .threshold = BUCKET_COUNT}, true, ""},
        {{.verb = CHANGE_PERCENT, .threshold = BUCKET_COUNT + 1}, false, "percent is 0 to 100"},
        {{.verb = CHANGE_WRITES, .owner = WRITE_OWNER_FOLLOW}, false, "`follow` is said in"},
        {{.verb = CHANGE_ABORT, .who = {text, LIVE_WHO_BYTES - 1}}, true, ""},
        {{.verb = CHANGE_ABORT, .who = {text, LIVE_WHO_BYTES}}, false, "who is at most"},
        {{.verb = CHANGE_ABORT, .why = {text, LIVE_WHY_BYTES}}, false, "why is at most"},
        {{.verb = CHANGE_FREEZE, .ttl_ms = CHANGE_TTL_MAX_MS + 1}, false, "ttl is at most"},
        {{.verb = CHANGE_FREEZE, .max_wait_ms = UINT64_MAX}, false, "max_wait is at most"},
        {{.verb = CHANGE_WRITES, .timeout_ms = UINT64_MAX}, false, "timeout is at most"},
        {{.verb = CHANGE_STAGE, .module = users, .confirm_within_ms = 1000}, true, ""},
        {{.verb = CHANGE_STAGE, .module = users, .confirm_within_ms = 999}, false, "at least"},
        {{.verb = CHANGE_STAGE, .module = users, .confirm_within_ms = UINT64_MAX}, false, "most"},
        {{.verb = CHANGE_ABORT, .module = users, .confirm_within_ms = 1000}, false, "abort is not"},
        {{.verb = CHANGE_RESUME, .confirm_within_ms = 1000}, false, "needs one module"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_sensible(cases[i].change, cases[i].sensible, cases[i].detail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_does_in_every_stage_what_the_table_says),
        cmocka_unit_test(the_readme_has_the_same_table),
        cmocka_unit_test(while_writes_are_moved_only_an_abort_is_taken),
        cmocka_unit_test(copies_without_a_percent_are_refused),
        cmocka_unit_test(an_owner_that_a_flip_has_yet_to_set_is_no_reason_to_retire),
        cmocka_unit_test(what_a_cut_off_change_left_open_can_be_settled_by_the_same_owner),
        cmocka_unit_test(orders_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
