/* What a reload is warned of: people that would be moved without anybody wanting it. */
#include "tests/unit/config/config_fixture.h"

#include <stdlib.h>

#define USERS                                                                                      \
    "users: { legacy = \"monolith\"; extracted = \"users\"; routes: { a: { prefix = \"/u\"; }; "   \
    "}; "
#define PEOPLE                                                                                     \
    "people: { legacy = \"monolith\"; extracted = \"users\"; routes: { a: { prefix = \"/u\"; }; "  \
    "}; "
#define RAMP "stage = \"ramp\"; percent = 50; "

struct change_row {
    const char *before;
    const char *after;
    const char *expected;
};

static const struct change_row rows[] = {
    {USERS RAMP "};", USERS RAMP "};", ""},
    {USERS RAMP "};", USERS "stage = \"live\"; };", ""},
    {"", USERS RAMP "};", ""},

    /* gone */
    {USERS "};", "", ""},
    {USERS RAMP "};", "", "warning module-gone 0:0\n"},
    {USERS "stage = \"live\"; };", "", "warning module-gone 0:0\n"},
    {USERS "stage = \"retired\"; write_owner = \"extracted\"; };", "", "warning module-gone 0:0\n"},

    /* renamed */
    {USERS RAMP "};", PEOPLE RAMP "};", "warning module-renamed 8:12\n"},
    {USERS RAMP "};", PEOPLE RAMP "cohort = \"users\"; };", ""},
    {USERS "stage = \"live\"; };", PEOPLE "stage = \"live\"; };", ""},
    {USERS RAMP "cohort = \"c\"; };", PEOPLE RAMP "cohort = \"c\"; };", ""},
    {USERS RAMP "};",
     "people: { legacy = \"users\"; extracted = \"monolith\"; routes: { a: { prefix = \"/u\"; }; "
     "}; };",
     "warning module-gone 0:0\n"},

    /* the same name, other people */
    {USERS RAMP "};", USERS RAMP "cohort = \"c\"; };", "warning cohort-changed 8:138\n"},
    {USERS RAMP "cohort = \"c\"; };", USERS RAMP "};", "warning cohort-changed 8:12\n"},
    {USERS "};", USERS RAMP "cohort = \"c\"; };", ""},
};

static void a_reload_is_warned_of_what_moves_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded before;
        struct loaded after;
        loaded_from_text(&before, "%smodules: { %s };\n", config_head, rows[i].before);
        loaded_from_text(&after, "%smodules: { %s };\n", config_head, rows[i].after);
        config_report_done(&after.report);
        config_report_init(&after.report);
        settings_report_changes(after.settings, before.snapshot, &after.report);
        char *lines = report_lines(&after.report, false);
        if (strcmp(lines, rows[i].expected) != 0)
            fail_msg("row %zu: %s", i, lines);
        assert_int_equal(after.report.errors, 0);
        free(lines);
        loaded_done(&after);
        loaded_done(&before);
    }
}

static void the_hint_says_how_everybody_stays(void **state)
{
    (void)state;
    struct loaded before;
    struct loaded after;
    loaded_from_text(&before, "%smodules: { %s };\n", config_head, USERS RAMP "};");
    loaded_from_text(&after, "%smodules: { %s };\n", config_head, PEOPLE RAMP "};");
    settings_report_changes(after.settings, before.snapshot, &after.report);
    char *text = report_text(&after.report);
    assert_non_null(strstr(text, "cohort = \"users\"; keeps everybody where they are"));
    free(text);
    loaded_done(&after);
    loaded_done(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_is_warned_of_what_moves_people),
        cmocka_unit_test(the_hint_says_how_everybody_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
