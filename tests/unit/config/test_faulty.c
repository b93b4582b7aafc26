/*
 * Every file of tests/config/faulty says in "# expect" lines which faults a run reports, and where;
 * a folder there says it in its file `expect`. Each is a test, named by its file.
 */
#include "tests/unit/config/config_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proxy/core/array.h"

struct test_list {
    struct CMUnitTest *items;
    size_t count;
    size_t capacity;
};

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The lines of `text` that begin with `start`, without it, in order. Cuts `text` up. */
static char *sorted_lines(char *text, const char *start)
{
    char *lines[64];
    size_t count = 0;
    for (char *line = text; *line != '\0' && count < 64;) {
        char *end = strchr(line, '\n');
        if (strncmp(line, start, strlen(start)) == 0)
            lines[count++] = line + strlen(start);
        if (end == NULL)
            break;
        *end = '\0';
        line = end + 1;
    }
    qsort(lines, count, sizeof(lines[0]), compare_lines);
    char *sorted = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&sorted, &size);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\n", lines[i]);
    fclose(out);
    return sorted;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *text = memory_zalloc(64 * 1024);
    size_t got = fread(text, 1, 64 * 1024 - 1, file);
    assert_true(got > 0);
    fclose(file);
    return text;
}

static char *expected_of(const char *path, bool is_folder)
{
    char name[1024];
    snprintf(name, sizeof(name), "%s%s", path, is_folder ? "/expect" : "");
    char *text = read_file(name);
    char *lines = sorted_lines(text, is_folder ? "" : "# expect ");
    free(text);
    return lines;
}

/* What a person sees must have the place, the code, the quoted line and the caret. */
static void check_words(struct loaded *loaded)
{
    char *text = report_text(&loaded->report);
    for (size_t i = 0; i < loaded->report.count; i++) {
        const struct config_fault *fault = &loaded->report.faults[i];
        char head[1200];
        snprintf(head, sizeof(head), "%.*s:%u:%u: %s[%.*s]: %.*s\n", STRVIEW_ARGS(fault->file),
                 fault->line, fault->column, fault->severity == REPORT_ERROR ? "error" : "warning",
                 STRVIEW_ARGS(fault->code), STRVIEW_ARGS(fault->text));
        if (fault->line > 0) {
            assert_non_null(strstr(text, head));
            assert_non_null(strchr(strstr(text, head), '^'));
        }
        assert_true(fault->text.length > 0);
    }
    free(text);
}

static void has_exactly_the_expected_faults(void **state)
{
    const char *path = *state;
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    bool is_folder = S_ISDIR(status.st_mode);
    char *expected = expected_of(path, is_folder);
    struct loaded loaded;
    loaded_from_path(&loaded, path);
    char *lines = report_lines(&loaded.report, is_folder);
    char *found = sorted_lines(lines, "");
    if (strcmp(found, expected) != 0) {
        char *text = report_text(&loaded.report);
        print_error("%s", text);
        free(text);
    }
    assert_string_equal(found, expected);
    check_words(&loaded);
    loaded_done(&loaded);
    free(expected);
    free(lines);
    free(found);
}

static void add_test(struct test_list *list, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", FAULTY_FOLDER, name);
    *ARRAY_PUSH(list) = (struct CMUnitTest){
        .name = memory_strdup(name),
        .test_func = has_exactly_the_expected_faults,
        .initial_state = memory_strdup(path),
    };
}

int main(void)
{
    struct test_list list = {.items = NULL};
    DIR *folder = opendir(FAULTY_FOLDER);
    if (folder == NULL)
        return 1;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.')
            add_test(&list, entry->d_name);
    }
    closedir(folder);
    int failed = list.count < 30;
    failed += _cmocka_run_group_tests("faulty", list.items, list.count, NULL, NULL);
    for (size_t i = 0; i < list.count; i++) {
        free((void *)(uintptr_t)list.items[i].name);
        free(list.items[i].initial_state);
    }
    free(list.items);
    return failed;
}
