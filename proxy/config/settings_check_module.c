#include "proxy/config/settings_check.h"

/* Where a fault about a key stands: at the key, or at the module when the key is not there. */
static struct source_span key_span(const struct module_settings *module,
                                   const struct source_node *key)
{
    return key != NULL ? source_value_span(key) : source_name_span(module->node);
}

static void check_writes(const struct module_settings *module, struct config_report *report)
{
    if (module->write_owner.value == WRITE_OWNER_FOLLOW && !module->shared_store.value) {
        source_error(report, "follow-needs-shared-store",
                     source_value_span(module->write_owner.node),
                     "`write_owner = \"follow\"` needs `shared_store = true`: with a store on each "
                     "side, two users in one thread would write into two stores");
        config_report_hint(report, "\"legacy\" or \"extracted\" keeps all writes in one store");
    }
    if (module->stage.value == STAGE_RETIRED && (module->write_owner.value == WRITE_OWNER_LEGACY ||
                                                 module->write_owner.value == WRITE_OWNER_FOLLOW)) {
        source_error(report, "retired-needs-extracted-writes",
                     key_span(module, module->write_owner.node),
                     "stage `retired` has no legacy side, but writes still go there");
        config_report_hint(report, "move the writes first, then set write_owner = \"extracted\";");
    }
}

static void check_shadow(const struct module_settings *module,
                         const struct backend_settings *extracted, struct config_report *report)
{
    bool copies = module->stage.value == STAGE_SHADOW ||
                  (module->shadow.node != NULL &&
                   (module->stage.value == STAGE_RAMP || module->stage.value == STAGE_LIVE));
    if (copies && module->shadow.percent.node == NULL) {
        source_error(report, "shadow-needs-percent",
                     module->shadow.node != NULL ? source_name_span(module->shadow.node)
                                                 : key_span(module, module->stage.node),
                     "how many requests are copied has to be said: `shadow.percent` is missing");
        config_report_hint(report, "for example: shadow: { percent = 10; };");
    }
    if (module->shadow_writes.value == SHADOW_WRITES_SANDBOX && extracted != NULL &&
        !extracted->isolated.value) {
        source_error(report, "sandbox-needs-isolated",
                     source_value_span(module->shadow_writes.node),
                     "copies of writes may only go to a backend that affects nothing: `%.*s` is "
                     "not marked with `isolated = true`",
                     STRVIEW_ARGS(extracted->node->name));
    }
}

/* Lints, as far as the files are free of errors: a mistyped `stage` would be taken for `legacy`. */
static void check_percent(const struct settings *settings, const struct module_settings *module,
                          struct config_report *report)
{
    const struct number_setting *percent = &module->percent;
    if (module->stage.value == STAGE_LEGACY && percent->value > 0)
        source_warning(report, "percent-unused", source_value_span(percent->node),
                       "in stage `legacy` nobody goes to the extracted side, `percent` waits for "
                       "stage `ramp`");
    if (module->stage.value != STAGE_RAMP)
        return;
    if (percent->node == NULL) {
        source_warning(report, "percent-missing", source_value_span(module->stage.node),
                       "stage `ramp` without `percent`: nobody goes to the extracted side");
        config_report_hint(report, "for example: percent = 5;");
    }
    bool somebody =
        settings->identity.count > 0 && settings->identity.items[0].kind != IDENTITY_NONE;
    if (percent->value > 0 && !somebody) {
        source_warning(report, "no-identity", source_value_span(percent->node),
                       "there is no `identity` to split by, so every read stays on legacy");
        config_report_hint(report, "at the top level: identity = [ \"assign\", \"address\" ];");
    }
}

/* Without probes only the requests of clients find out that the new side is ill. */
static void check_health(const struct module_settings *module,
                         const struct backend_settings *extracted, struct config_report *report)
{
    if (module->stage.value < STAGE_RAMP || extracted == NULL || extracted->health.node != NULL)
        return;
    source_warning(report, "no-health-check", source_value_span(module->extracted.node),
                   "clients are served by `%.*s`, which is not probed: it has no `health`",
                   STRVIEW_ARGS(extracted->node->name));
    config_report_hint(report, "in the backend: health: { path = \"/health\"; };");
}

/* To go back is allowed from `live`, and nobody would know what comes of it. */
static void check_way_back(const struct module_settings *module, struct config_report *report)
{
    if (module->stage.value != STAGE_LIVE || module->shadow.node != NULL)
        return;
    source_warning(report, "live-without-shadow", source_value_span(module->stage.node),
                   "nothing is copied to legacy, so nobody knows whether the way back still works");
    config_report_hint(report, "in the module: shadow: { percent = 10; };");
}

/* What becomes the name of a cookie has an end. */
static void check_pin(const struct module_settings *module, struct config_report *report)
{
    if (module->pin_group.text.length > SOURCE_NAME_BYTES_MAX)
        source_error(report, "too-long", source_value_span(module->pin_group.node),
                     "a name here has at most %d bytes", SOURCE_NAME_BYTES_MAX);
    if (module->pin_group.node != NULL && module->pin.value == 0)
        source_warning(report, "pin-unused", source_value_span(module->pin_group.node),
                       "with `pin = 0` the module takes no part in its `pin_group`");
}

static void check_fallback(const struct module_settings *module, struct config_report *report)
{
    if (module->fallback_after.node == NULL || module->on_error.value != ON_ERROR_FAIL)
        return;
    source_warning(report, "fallback-unused", source_name_span(module->fallback_after.node),
                   "without `on_error = \"fallback\"` nothing is tried on legacy");
}

void settings_check_module(struct settings *settings, struct module_settings *module,
                           struct config_report *report)
{
    const struct backend_settings *legacy = settings_use_backend(settings, &module->legacy, report);
    const struct backend_settings *extracted =
        settings_use_backend(settings, &module->extracted, report);
    check_writes(module, report);
    check_pin(module, report);
    check_fallback(module, report);
    check_shadow(module, extracted, report);
    if (report->errors == 0) {
        check_percent(settings, module, report);
        check_health(module, extracted, report);
        check_way_back(module, report);
    }
    if (legacy != NULL && legacy == extracted)
        source_warning(report, "same-backend", source_value_span(module->extracted.node),
                       "both sides of `%.*s` are the same backend",
                       STRVIEW_ARGS(module->node->name));
    if (module->routes == NULL || module->routes->child_count == 0)
        source_warning(report, "module-without-routes", source_name_span(module->node),
                       "no request belongs to `%.*s`: it has no routes",
                       STRVIEW_ARGS(module->node->name));
}
