/* The small parts of reading: numbers, places, suggestions, names, the report, the registry. */
#include "tests/unit/config/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/config/name_index.h"
#include "proxy/config/source_number.h"
#include "proxy/config/source_scan.h"
#include "proxy/config/suggestion.h"

static enum source_number number(const char *text)
{
    return source_number_check(strview_of(text));
}

static void integers_that_libconfig_would_change_are_found(void **state)
{
    (void)state;
    assert_int_equal(number("2147483647"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("2147483648"), SOURCE_NUMBER_TOO_LARGE);
    assert_int_equal(number("-2147483648"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("-2147483649"), SOURCE_NUMBER_TOO_LARGE);
    assert_int_equal(number("2147483648L"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("9223372036854775807L"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("9223372036854775808L"), SOURCE_NUMBER_OVERFLOW);
    assert_int_equal(number("0x7fffffff"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("0x80000000"), SOURCE_NUMBER_TOO_LARGE);
    assert_int_equal(number("0x8000000000000000L"), SOURCE_NUMBER_OVERFLOW);
    assert_int_equal(number("1e400"), SOURCE_NUMBER_OVERFLOW);
}

static void only_literals_that_libconfig_reads_are_numbers(void **state)
{
    (void)state;
    assert_int_equal(number("+5"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number("5LL"), SOURCE_NUMBER_INTEGER);
    assert_int_equal(number(".5"), SOURCE_NUMBER_FLOAT);
    assert_int_equal(number("-.5e-3"), SOURCE_NUMBER_FLOAT);
    assert_int_equal(number("5."), SOURCE_NUMBER_FLOAT);
    assert_int_equal(number("1e5"), SOURCE_NUMBER_FLOAT);
    static const char *const wrong[] = {"",     "-",     ".",   "1e",  "e5",    "0x",
                                        "-0x5", "1.5.6", "5l",  "10s", "1_000", "inf",
                                        "nan",  "0x1p3", "1.L", "5%"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(number(wrong[i]), SOURCE_NUMBER_MALFORMED);
}

static void swapped_letters_are_one_edit(void **state)
{
    (void)state;
    assert_int_equal(edit_distance(STRVIEW("precent"), STRVIEW("percent")), 1);
    assert_int_equal(edit_distance(STRVIEW("kitten"), STRVIEW("sitting")), 3);
    assert_int_equal(edit_distance(STRVIEW(""), STRVIEW("abc")), 3);
    assert_int_equal(edit_distance(STRVIEW("GET"), STRVIEW("get")), 0);
}

static void a_word_that_is_too_different_is_not_suggested(void **state)
{
    (void)state;
    struct suggestion suggestion = suggestion_begin(STRVIEW("threds"));
    suggestion_offer(&suggestion, STRVIEW("users"));
    suggestion_offer(&suggestion, STRVIEW("posts"));
    assert_int_equal(suggestion.best.length, 0);
    suggestion_offer(&suggestion, STRVIEW("threads"));
    assert_true(strview_equal(suggestion.best, STRVIEW("threads")));
    struct suggestion short_one = suggestion_begin(STRVIEW("a"));
    suggestion_offer(&short_one, STRVIEW("b"));
    assert_int_equal(short_one.best.length, 0);
}

static void many_names_are_found_again(void **state)
{
    (void)state;
    struct name_index index = {.entries = NULL};
    char(*names)[16] = calloc(5000, sizeof(*names));
    assert_int_equal(name_index_find(&index, STRVIEW("x")), NAME_INDEX_NONE);
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(names[i], sizeof(names[i]), "name%u", i);
        assert_true(name_index_add(&index, strview_of(names[i]), i));
    }
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(name_index_find(&index, strview_of(names[i])), i);
        assert_false(name_index_add(&index, strview_of(names[i]), 0));
    }
    name_index_done(&index);
    free(names);
}

static void a_place_inside_a_text_counts_escapes(void **state)
{
    (void)state;
    struct arena arena;
    struct config_report report;
    arena_init(&arena, NULL);
    config_report_init(&report);
    /* libconfig makes of this: A"\dxy */
    struct strview text = STRVIEW("a = \"\\x41\\\"\\\\d\" /* */ \"xy\";");
    struct source *source = source_from_text(&arena, STRVIEW("t"), text);
    struct source_scan scan = source_scan(&arena, source, &report);
    assert_non_null(scan.root);
    const uint32_t expected[] = {5, 9, 11, 13, 23, 24, 25};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(source_text_span(scan.root->first_child, i).offset, expected[i]);
    config_report_done(&report);
    arena_done(&arena);
}

static void add_fault(struct config_report *report, enum report_severity severity, uint32_t line)
{
    config_report_add(report, &(struct config_fault){.severity = severity,
                                                     .code = STRVIEW("code"),
                                                     .file = STRVIEW("f"),
                                                     .line = line,
                                                     .column = 1,
                                                     .width = 1,
                                                     .text = STRVIEW("text"),
                                                     .source_line = STRVIEW("line")});
}

static void errors_take_the_place_of_warnings_when_the_report_is_full(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    for (uint32_t i = 0; i < 25; i++)
        add_fault(&report, REPORT_WARNING, i + 1);
    for (uint32_t i = 0; i < 25; i++)
        add_fault(&report, REPORT_ERROR, 100 + i);
    assert_int_equal(report.count, REPORT_FAULTS_MAX);
    assert_int_equal(report.errors, 25);
    for (size_t i = 0; i < report.count; i++)
        assert_int_equal(report.faults[i].severity, REPORT_ERROR);
    config_report_hint(&report, "nobody reads this");
    char *text = report_text(&report);
    assert_non_null(strstr(text, "… and 30 more\n"));
    assert_null(strstr(text, "nobody"));
    free(text);
    config_report_done(&report);
}

static void a_fault_quotes_its_line_with_a_caret_and_a_hint(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "%sroutes: {\n\tpage: { prefx = \"/u\"; prefix = \"/u\"; backend = "
                     "\"users\"; };\n};\n",
                     config_head);
    char *text = report_text(&loaded.report);
    assert_string_equal(text,
                        "test.cfg:9:10: error[unknown-key]: `prefx` is no key of a route outside "
                        "modules\n"
                        "\tpage: { prefx = \"/u\"; prefix = \"/u\"; backend = \"users\"; };\n"
                        "\t        ^~~~~\n"
                        "hint: did you mean `prefix`?\n");
    free(text);
    loaded_done(&loaded);
}

static void a_report_in_json_escapes_every_byte(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    config_report_add(&report, &(struct config_fault){.severity = REPORT_ERROR,
                                                      .code = STRVIEW("c"),
                                                      .file = STRVIEW("a\"b\\"),
                                                      .text = STRVIEW("\x01\xff é\n")});
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_report_print_json(&report, out);
    fclose(out);
    assert_string_equal(text, "[{\"severity\":\"error\",\"code\":\"c\",\"file\":\"a\\\"b\\\\\","
                              "\"line\":0,\"column\":0,\"width\":0,"
                              "\"text\":\"\\u0001\\ufffd é\\u000a\",\"source_line\":\"\","
                              "\"hint\":\"\"}]");
    free(text);
    config_report_done(&report);
}

static void a_long_line_is_cut_around_the_fault(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "%s/* %0400d */ wokers = 1; /* %0400d */\n", config_head, 0, 0);
    char *text = report_text(&loaded.report);
    const char *line = strchr(text, '\n') + 1;
    assert_true(strcspn(line, "\n") <= 120);
    const char *caret = strchr(line, '\n') + 1;
    assert_memory_equal(line + strcspn(caret, "^"), "wokers", 6);
    free(text);
    loaded_done(&loaded);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_admin_address_is_found_in_files_with_faults(void **state)
{
    (void)state;
    char folder[] = "/tmp/strangler-admin-XXXXXX";
    char paths[2][64];
    struct settings_admin admin;
    struct fault fault;
    assert_non_null(mkdtemp(folder));
    snprintf(paths[0], sizeof(paths[0]), "%s/a.cfg", folder);
    snprintf(paths[1], sizeof(paths[1]), "%s/b.cfg", folder);
    write_file(paths[0], "modules: { m: { stage = \"lvie\"; ");
    write_file(paths[1], "unknown = 1;\nadmin: { address = \"unix:/a.sock\"; };\n");
    assert_true(settings_find_admin(folder, &admin, &fault));
    assert_string_equal(admin.address, "unix:/a.sock");
    assert_memory_equal(admin.state_dir, folder, strlen(folder));
    assert_string_equal(admin.state_dir + strlen(folder), "/state");
    write_file(paths[1], "state_dir = \"/other\";");
    assert_true(settings_find_admin(paths[1], &admin, &fault));
    assert_string_equal(admin.address, "");
    assert_string_equal(admin.state_dir, "/other");
    unlink(paths[0]);
    unlink(paths[1]);
    assert_false(settings_find_admin(folder, &admin, &fault));
    assert_non_null(strstr(fault.text, folder));
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_admin_address_is_found_in_files_with_faults),
        cmocka_unit_test(integers_that_libconfig_would_change_are_found),
        cmocka_unit_test(only_literals_that_libconfig_reads_are_numbers),
        cmocka_unit_test(swapped_letters_are_one_edit),
        cmocka_unit_test(a_word_that_is_too_different_is_not_suggested),
        cmocka_unit_test(many_names_are_found_again),
        cmocka_unit_test(a_place_inside_a_text_counts_escapes),
        cmocka_unit_test(errors_take_the_place_of_warnings_when_the_report_is_full),
        cmocka_unit_test(a_fault_quotes_its_line_with_a_caret_and_a_hint),
        cmocka_unit_test(a_report_in_json_escapes_every_byte),
        cmocka_unit_test(a_long_line_is_cut_around_the_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
