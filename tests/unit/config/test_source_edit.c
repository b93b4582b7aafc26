/* One value of a file is set: exactly its bytes change, in every layout that people write. */
#include "tests/unit/config/config_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/settings_save.h"
#include "proxy/config/source_edit.h"
#include "proxy/config/source_replace.h"

static struct source_edit edit_of(const char *key, const char *value)
{
    bool is_word = strcmp(key, "percent") != 0;
    return (struct source_edit){strview_of(key), strview_of(value), is_word};
}

static void assert_edited(const char *before, const char *key, const char *value, const char *after)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct source_edit edit = edit_of(key, value);
    struct strview text;
    struct fault fault = {.text = ""};
    bool good = source_edit_set(&arena, strview_of(before), STRVIEW("m"), &edit, &text, &fault);
    if (!good)
        fail_msg("%s: %s", before, fault.text);
    assert_string_equal(text.data, after);
    assert_int_equal(text.length, strlen(after));
    arena_done(&arena);
}

static void assert_refused(const char *before, const char *key, const char *said)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct source_edit edit = edit_of(key, "1");
    struct strview text = STRVIEW("untouched");
    struct fault fault = {.text = ""};
    assert_false(source_edit_set(&arena, strview_of(before), STRVIEW("m"), &edit, &text, &fault));
    assert_non_null(strstr(fault.text, said));
    assert_string_equal(text.data, "untouched");
    arena_done(&arena);
}

static void a_value_changes_and_nothing_beside_it(void **state)
{
    (void)state;
    assert_edited("modules: { m: { stage = \"ramp\"; percent = 5; }; };", "percent", "12.5",
                  "modules: { m: { stage = \"ramp\"; percent = 12.5; }; };");
    assert_edited(
        "# a comment: percent = 5\nmodules :{\n\tm= {percent:5 /* why */ stage=\"ramp\"}}",
        "percent", "100",
        "# a comment: percent = 5\nmodules :{\n\tm= {percent:100 /* why */ "
        "stage=\"ramp\"}}");
    assert_edited("modules: { m: { stage   =\r\n  \"ramp\" # here\r\n  ;\r\n }; };\r\n", "stage",
                  "live", "modules: { m: { stage   =\r\n  \"live\" # here\r\n  ;\r\n }; };\r\n");
}

static void only_the_module_s_own_key_is_meant(void **state)
{
    (void)state;
    assert_edited("modules: { a: { percent = 1; }; m: { shadow: { percent = 10; }; percent = 2; };"
                  " z: { percent = 3; }; };",
                  "percent", "7",
                  "modules: { a: { percent = 1; }; m: { shadow: { percent = 10; }; percent = 7; };"
                  " z: { percent = 3; }; };");
    assert_edited("backends: { m: { percent = 1; }; };\nmodules: { m: { stage = \"ramp\"; }; };",
                  "stage", "live",
                  "backends: { m: { percent = 1; }; };\nmodules: { m: { stage = \"live\"; }; };");
}

static void a_percentage_in_quotes_stays_one(void **state)
{
    (void)state;
    assert_edited("modules: { m: { percent = \"2.5%\"; }; };", "percent", "3",
                  "modules: { m: { percent = \"3%\"; }; };");
    assert_edited("modules: { m: { percent = 0x10; }; };", "percent", "3",
                  "modules: { m: { percent = 3; }; };");
    assert_edited("modules: { m: { percent = 2.5e1; }; };", "percent", "0.0001",
                  "modules: { m: { percent = 0.0001; }; };");
}

static void a_text_in_several_literals_becomes_one(void **state)
{
    (void)state;
    assert_edited("modules: { m: { stage = \"ra\" \"mp\"; }; };", "stage", "live",
                  "modules: { m: { stage = \"live\"; }; };");
}

static void a_missing_key_gets_a_line_like_its_neighbour_s(void **state)
{
    (void)state;
    assert_edited("modules: {\n  m: {\n    legacy    = \"a\";\n    stage     = \"ramp\"; # now\n"
                  "    routes: { };\n  };\n};\n",
                  "percent", "5",
                  "modules: {\n  m: {\n    legacy    = \"a\";\n    stage     = \"ramp\"; # now\n"
                  "    percent   = 5;\n    routes: { };\n  };\n};\n");
    assert_edited(
        "modules: {\r\n  m: {\r\n\tstage = \"ramp\";\r\n  };\r\n};\r\n", "write_owner", "extracted",
        "modules: {\r\n  m: {\r\n\tstage = \"ramp\";\r\n\twrite_owner = \"extracted\";\r\n"
        "  };\r\n};\r\n");
    assert_edited("modules: {\n m: {\n  stage=\"ramp\"; // x\n }; };", "percent", "5",
                  "modules: {\n m: {\n  stage=\"ramp\"; // x\n  percent=5;\n }; };");
}

static void a_missing_key_stands_in_the_line_when_its_neighbour_is_not_alone(void **state)
{
    (void)state;
    assert_edited("modules: { m: { legacy = \"a\"; stage = \"ramp\"; routes: { }; }; };", "percent",
                  "5",
                  "modules: { m: { legacy = \"a\"; stage = \"ramp\"; percent = 5; routes: { }; }; "
                  "};");
    assert_edited("modules: { m: { stage = \"ramp\"; /* one\n two */ routes: { }; }; };", "percent",
                  "5",
                  "modules: { m: { stage = \"ramp\"; percent = 5; /* one\n two */ routes: { }; }; "
                  "};");
    assert_edited("modules: { m: {\n stage =\n  \"ramp\";\n}; };", "percent", "5",
                  "modules: { m: {\n stage =\n  \"ramp\"; percent = 5;\n}; };");
}

static void a_neighbour_without_an_end_gets_the_new_key_before_it(void **state)
{
    (void)state;
    assert_edited("modules: { m: { stage = \"ramp\" # ;\n } }", "percent", "5",
                  "modules: { m: { percent = 5; stage = \"ramp\" # ;\n } }");
    assert_edited("modules: { m: { stage = \"ramp\" } }", "percent", "5",
                  "modules: { m: { percent = 5; stage = \"ramp\" } }");
    assert_edited("modules: { m: { stage = \"ramp\", routes: { } } }", "percent", "5",
                  "modules: { m: { stage = \"ramp\", percent = 5; routes: { } } }");
}

static void without_a_stage_another_key_is_the_neighbour(void **state)
{
    (void)state;
    assert_edited("modules: { m: { legacy = \"a\"; extracted = \"b\"; }; };", "stage", "ramp",
                  "modules: { m: { legacy = \"a\"; extracted = \"b\"; stage = \"ramp\"; }; };");
    assert_refused("modules: { m: { }; };", "stage", "no key to write `stage` beside");
}

static void what_cannot_be_read_is_left_alone(void **state)
{
    (void)state;
    assert_refused("modules: { m: { stage = \"ramp\"; ", "stage", "syntax");
    assert_refused("modules: { other: { stage = \"ramp\"; }; };", "stage", "is not in it");
    assert_refused("modules = 1;", "stage", "is not in it");
    assert_refused("", "stage", "is not in it");
}

/* --- the file ------------------------------------------------------------------------------ */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/strangler-edit-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.cfg", "link.cfg"};
    char path[128];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder); /* fails when a draft was left behind */
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_file(const char *path, const char *text)
{
    char found[2048] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(found, 1, sizeof(found) - 1, file);
    fclose(file);
    found[length] = '\0';
    assert_string_equal(found, text);
}

static void a_file_is_replaced_with_its_mode_and_through_a_link(void **state)
{
    (void)state;
    char path[128];
    char link[128];
    struct fault fault;
    struct stat status;
    snprintf(path, sizeof(path), "%s/a.cfg", folder);
    snprintf(link, sizeof(link), "%s/link.cfg", folder);
    write_file(path, "before", 0640);
    assert_int_equal(symlink("a.cfg", link), 0);
    assert_true(source_replace(link, STRVIEW("before"), STRVIEW("after"), &fault));
    assert_file(path, "after");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void a_file_that_somebody_else_has_changed_stays(void **state)
{
    (void)state;
    static const char *const others[] = {"befor", "before ", "other!", ""};
    char path[128];
    struct fault fault;
    snprintf(path, sizeof(path), "%s/a.cfg", folder);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        write_file(path, others[i], 0600);
        assert_false(source_replace(path, STRVIEW("before"), STRVIEW("after"), &fault));
        assert_non_null(strstr(fault.text, "by somebody else"));
        assert_file(path, others[i]);
    }
}

static void all_values_of_a_module_are_saved_or_none(void **state)
{
    (void)state;
    char path[128];
    char text[2048];
    struct fault fault;
    struct save_result result;
    snprintf(path, sizeof(path), "%s/a.cfg", folder);
    snprintf(text, sizeof(text),
             "%smodules: { m: { legacy = \"monolith\"; extracted = \"users\"; "
             "stage = \"ramp\"; percent = 5; }; };\n",
             config_head);
    write_file(path, text, 0600);
    struct saved_value values[] = {{edit_of("stage", "live"), STAGE_RAMP},
                                   {edit_of("write_owner", "extracted"), WRITE_OWNER_LEGACY}};
    struct save_request request = {folder, STRVIEW("m"), values, 2, false};
    assert_true(settings_save_module(&request, &result, &fault));
    assert_true(result.changed);
    assert_string_equal(result.file + strlen(folder), "/a.cfg");
    snprintf(text, sizeof(text),
             "%smodules: { m: { legacy = \"monolith\"; extracted = \"users\"; "
             "stage = \"live\"; write_owner = \"extracted\"; percent = 5; }; };\n",
             config_head);
    assert_file(path, text);
    assert_false(settings_save_module(&request, &result, &fault)); /* it says something else now */
    assert_non_null(strstr(fault.text, "`stage` of `m` was edited in the file"));
    assert_file(path, text);
    request.force = true;
    assert_true(settings_save_module(&request, &result, &fault));
    assert_false(result.changed);
    request.module = STRVIEW("n");
    assert_false(settings_save_module(&request, &result, &fault));
    assert_non_null(strstr(fault.text, "`n` is not in the files"));
    assert_file(path, text);
}

static void faulty_files_are_not_touched(void **state)
{
    (void)state;
    char path[128];
    struct fault fault;
    struct save_result result;
    snprintf(path, sizeof(path), "%s/a.cfg", folder);
    static const char text[] = "modules: { m: { stage = \"lvie\"; }; };\n";
    write_file(path, text, 0600);
    struct saved_value value = {edit_of("stage", "live"), STAGE_RAMP};
    const struct save_request request = {path, STRVIEW("m"), &value, 1, true};
    assert_false(settings_save_module(&request, &result, &fault));
    assert_non_null(strstr(fault.text, "strangler check"));
    assert_file(path, text);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_changes_and_nothing_beside_it),
        cmocka_unit_test(only_the_module_s_own_key_is_meant),
        cmocka_unit_test(a_percentage_in_quotes_stays_one),
        cmocka_unit_test(a_text_in_several_literals_becomes_one),
        cmocka_unit_test(a_missing_key_gets_a_line_like_its_neighbour_s),
        cmocka_unit_test(a_missing_key_stands_in_the_line_when_its_neighbour_is_not_alone),
        cmocka_unit_test(a_neighbour_without_an_end_gets_the_new_key_before_it),
        cmocka_unit_test(without_a_stage_another_key_is_the_neighbour),
        cmocka_unit_test(what_cannot_be_read_is_left_alone),
        FILE_TEST(a_file_is_replaced_with_its_mode_and_through_a_link),
        FILE_TEST(a_file_that_somebody_else_has_changed_stays),
        FILE_TEST(all_values_of_a_module_are_saved_or_none),
        FILE_TEST(faulty_files_are_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
