/*
 * Configuration texts: any bytes give a snapshot or a report that points into the text; and a value
 * of a module can be written into a good one, which then says that and all else as before.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/config/settings.h"
#include "proxy/config/snapshot.h"
#include "proxy/config/source_edit.h"
#include "proxy/core/check.h"

static void check_fault(const struct config_fault *fault, struct strview text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.length; i++)
        lines += text.data[i] == '\n';
    CHECK(fault->code.length > 0 && fault->text.length > 0);
    CHECK(fault->line <= lines);
    CHECK(fault->line == 0 || (fault->column >= 1 && fault->width >= 1));
    CHECK(fault->column <= fault->source_line.length + 2);
    CHECK(memchr(fault->source_line.data, '\n', fault->source_line.length) == NULL);
}

static void check_report(struct config_report *report, struct strview text)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    CHECK(out != NULL);
    config_report_print(report, out);
    config_report_print_json(report, out);
    CHECK(fclose(out) == 0);
    free(printed);
    CHECK(report->count <= report->errors + report->warnings);
    for (size_t i = 0; i < report->count; i++)
        check_fault(&report->faults[i], text);
}

/* The percent alone can be any in every stage. */
static void check_edit(struct strview text, const struct snapshot *before)
{
    const struct module *module = &before->modules->modules[0];
    const struct source_edit edit = {STRVIEW("percent"), STRVIEW("12.5"), false};
    struct strview edited;
    struct strview again;
    struct fault fault;
    struct arena arena;
    arena_init(&arena, NULL);
    if (source_edit_set(&arena, text, module->name, &edit, &edited, &fault)) {
        struct config_report report;
        config_report_init(&report);
        struct endpoint_registry *registry = endpoint_registry_new();
        struct settings *settings = settings_load_text(STRVIEW("fuzz.cfg"), edited, &report);
        CHECK(settings != NULL);
        struct snapshot *after = snapshot_build_offline(settings, registry, &report);
        CHECK(after != NULL && after->modules->count == before->modules->count);
        CHECK(after->route_count == before->route_count);
        const struct module *changed = &after->modules->modules[0];
        CHECK(changed->threshold == 125000 && changed->stage == module->stage);
        CHECK(changed->write_owner == module->write_owner);
        CHECK(strview_equal(changed->cohort, module->cohort));
        CHECK(source_edit_set(&arena, edited, module->name, &edit, &again, &fault));
        CHECK(strview_equal(again, edited));
        snapshot_unref(after);
        settings_free(settings);
        endpoint_registry_free(registry);
        config_report_done(&report);
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strview text = strview_make((const char *)data, size);
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load_text(STRVIEW("fuzz.cfg"), text, &report);
    CHECK((settings == NULL) == (report.errors > 0));
    if (settings != NULL) {
        /* Offline: a path in the input must not make us read files. */
        struct snapshot *snapshot = snapshot_build_offline(settings, registry, &report);
        CHECK((snapshot == NULL) == (report.errors > 0));
        if (snapshot != NULL && snapshot->modules->count > 0)
            check_edit(text, snapshot);
        snapshot_unref(snapshot);
    }
    check_report(&report, text);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return 0;
}
