#include "tests/unit/config/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>

const char config_head[] = "listeners: { plain: { address = \"127.0.0.1:8080\"; }; };\n"
                           "backends: {\n"
                           "  monolith: { endpoints = [ \"127.0.0.1:3000\" ]; };\n"
                           "  users: { endpoints = [ \"127.0.0.1:3001\" ]; protocol = \"h2\"; };\n"
                           "};\n"
                           "default = \"monolith\";\n"
                           "identity = [ \"assign\", \"address\" ];\n";

static void compile(struct loaded *loaded)
{
    if (loaded->settings != NULL)
        loaded->snapshot = snapshot_build(loaded->settings, loaded->registry, 7, &loaded->report);
    assert_int_equal(loaded->snapshot == NULL, loaded->report.errors > 0);
}

static void begin(struct loaded *loaded)
{
    *loaded = (struct loaded){.registry = endpoint_registry_new()};
    config_report_init(&loaded->report);
}

void loaded_from_path(struct loaded *loaded, const char *path)
{
    begin(loaded);
    loaded->settings = settings_load(path, &loaded->report);
    compile(loaded);
}

void loaded_from_text(struct loaded *loaded, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    assert_true(length >= 0);
    begin(loaded);
    loaded->settings = settings_load_text(STRVIEW("test.cfg"), strview_make(text, (size_t)length),
                                          &loaded->report);
    free(text);
    compile(loaded);
}

void loaded_done(struct loaded *loaded)
{
    snapshot_unref(loaded->snapshot);
    settings_free(loaded->settings);
    endpoint_registry_free(loaded->registry);
    config_report_done(&loaded->report);
}

static struct strview base_name(struct strview path)
{
    size_t start = path.length;
    while (start > 0 && path.data[start - 1] != '/')
        start--;
    return strview_from(path, start);
}

char *report_text(struct config_report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_report_print(report, out);
    fclose(out);
    return text;
}

char *report_lines(struct config_report *report, bool with_files)
{
    free(report_text(report)); /* sorts */
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < report->count; i++) {
        const struct config_fault *fault = &report->faults[i];
        if (with_files)
            fprintf(out, "%.*s ", STRVIEW_ARGS(base_name(fault->file)));
        fprintf(out, "%s %.*s %u:%u\n", fault->severity == REPORT_ERROR ? "error" : "warning",
                STRVIEW_ARGS(fault->code), fault->line, fault->column);
    }
    fclose(out);
    return text;
}
