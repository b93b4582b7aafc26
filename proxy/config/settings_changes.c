/* What a reload would do to people that its author may not have meant. */
#include "proxy/config/settings_values.h"
#include "proxy/config/snapshot.h"

static const struct module_settings *find_module(const struct settings *settings,
                                                 struct strview name)
{
    int64_t index = name_index_find(&settings->modules.names, name);
    return index != NAME_INDEX_NONE ? &settings->modules.items[index] : NULL;
}

static struct strview cohort_of(const struct module_settings *module)
{
    return module->cohort.text.length > 0 ? module->cohort.text : module->node->name;
}

/* A module that was not there before, between the same two backends. */
static const struct module_settings *find_successor(const struct settings *settings,
                                                    const struct snapshot *running,
                                                    const struct module *gone)
{
    struct strview legacy = running->backends[gone->legacy_backend].name;
    struct strview extracted = running->backends[gone->extracted_backend].name;
    for (size_t i = 0; i < settings->modules.count; i++) {
        const struct module_settings *module = &settings->modules.items[i];
        if (module_table_find(running->modules, module->node->name) == NULL &&
            strview_equal(module->legacy.text, legacy) &&
            strview_equal(module->extracted.text, extracted))
            return module;
    }
    return NULL;
}

static void warn_gone(const struct settings *settings, const struct module *gone,
                      struct config_report *report)
{
    if (gone->stage < STAGE_RAMP)
        return;
    source_file_warning(report, "module-gone", settings->path,
                        "no file defines the module `%.*s`, which is in stage %.*s: its requests "
                        "go where other routes or `default` say",
                        STRVIEW_ARGS(gone->name), STRVIEW_ARGS(stage_name(gone->stage)));
}

static void warn_renamed(const struct module_settings *module, const struct module *gone,
                         struct config_report *report)
{
    if (gone->stage != STAGE_RAMP || strview_equal(cohort_of(module), gone->cohort))
        return;
    source_warning(report, "module-renamed", source_name_span(module->node),
                   "`%.*s` stands where `%.*s` was: with another cohort the percent moves other "
                   "people",
                   STRVIEW_ARGS(module->node->name), STRVIEW_ARGS(gone->name));
    config_report_hint(report, "cohort = \"%.*s\"; keeps everybody where they are",
                       STRVIEW_ARGS(gone->cohort));
}

static void warn_cohort(const struct module_settings *module, const struct module *before,
                        struct config_report *report)
{
    if (before->stage != STAGE_RAMP || strview_equal(cohort_of(module), before->cohort))
        return;
    const struct source_node *node = module->cohort.node;
    source_warning(report, "cohort-changed",
                   node != NULL ? source_value_span(node) : source_name_span(module->node),
                   "the cohort was `%.*s`: with another one the percent moves other people",
                   STRVIEW_ARGS(before->cohort));
}

void settings_report_changes(const struct settings *settings, const struct snapshot *running,
                             struct config_report *report)
{
    for (uint32_t i = 0; i < running->modules->count; i++) {
        const struct module *before = &running->modules->modules[i];
        const struct module_settings *module = find_module(settings, before->name);
        const struct module_settings *successor =
            module == NULL ? find_successor(settings, running, before) : NULL;
        if (module != NULL)
            warn_cohort(module, before, report);
        else if (successor != NULL)
            warn_renamed(successor, before, report);
        else
            warn_gone(settings, before, report);
    }
}
