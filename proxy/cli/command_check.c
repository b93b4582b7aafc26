/* `strangler check`: every fault and lint of a configuration, without running it. */
#include "proxy/cli/usage.h"
#include "proxy/config/settings.h"
#include "proxy/config/snapshot.h"

static void print_summary(struct config_report *report, const struct snapshot *snapshot,
                          const char *path)
{
    config_report_print(report, stdout);
    if (snapshot == NULL)
        printf("%s: not usable (errors: %zu, warnings: %zu)\n", path, report->errors,
               report->warnings);
    else
        printf("%s: good (listeners: %u, backends: %u, modules: %u, routes: %u, warnings: %zu)\n",
               path, snapshot->listener_count, snapshot->backend_count, snapshot->modules->count,
               snapshot->route_count, report->warnings);
}

static void print_json(struct config_report *report)
{
    printf("{\"errors\":%zu,\"warnings\":%zu,\"faults\":", report->errors, report->warnings);
    config_report_print_json(report, stdout);
    printf("}\n");
}

static int check(const char *path, bool as_json)
{
    struct config_report report;
    config_report_init(&report);
    struct endpoint_registry *registry = endpoint_registry_new();
    struct settings *settings = settings_load(path, &report);
    struct snapshot *snapshot =
        settings != NULL ? snapshot_build(settings, registry, 1, &report) : NULL;
    if (as_json)
        print_json(&report);
    else
        print_summary(&report, snapshot, path);
    int status = snapshot != NULL ? EXIT_DONE : EXIT_PROBLEM;
    snapshot_unref(snapshot);
    settings_free(settings);
    endpoint_registry_free(registry);
    config_report_done(&report);
    return status;
}

int command_check(const struct invocation *invocation)
{
    const char *path = invocation->word_count > 0 ? invocation->words[0] : "routes";
    if (path[0] == '\0')
        return usage_fault("check", "the path is empty");
    struct strview format = strview_of(invocation->values[OPTION_FORMAT]);
    bool as_json = strview_equal(format, STRVIEW("json"));
    if (format.length > 0 && !as_json && !strview_equal(format, STRVIEW("human")))
        return usage_fault("check", "the format is `human` or `json`, not `%.*s`",
                           STRVIEW_ARGS(format));
    return check(path, as_json || invocation_has(invocation, OPTION_JSON));
}
