#include "proxy/config/settings_save.h"

#include <stdio.h>

#include "proxy/config/settings_values.h"
#include "proxy/config/source_replace.h"

static const struct module_settings *find_module(const struct settings *settings,
                                                 struct strview name)
{
    int64_t index = name_index_find(&settings->modules.names, name);
    return index == NAME_INDEX_NONE ? NULL : &settings->modules.items[index];
}

static int64_t value_of(const struct module_settings *module, struct strview key)
{
    if (strview_equal(key, STRVIEW("stage")))
        return module->stage.value;
    return strview_equal(key, STRVIEW("percent")) ? module->percent.value
                                                  : module->write_owner.value;
}

static bool check_values(const struct save_request *request, const struct module_settings *module,
                         struct fault *fault)
{
    for (size_t i = 0; i < request->value_count && !request->force; i++) {
        const struct saved_value *value = &request->values[i];
        if (value_of(module, value->edit.key) != value->was)
            return fault_set(fault,
                             "`%.*s` of `%.*s` was edited in the file since it was changed: "
                             "`reload` lets the file count, `save --force` overwrites it",
                             STRVIEW_ARGS(value->edit.key), STRVIEW_ARGS(request->module));
    }
    return true;
}

/* The text of the module's file with all values in it; false with a fault. */
static bool edit(struct settings *settings, const struct save_request *request,
                 const struct source *source, struct strview *ret_text, struct fault *fault)
{
    struct strview text = source->text;
    for (size_t i = 0; i < request->value_count; i++) {
        if (!source_edit_set(&settings->arena, text, request->module, &request->values[i].edit,
                             &text, fault))
            return false;
    }
    *ret_text = text;
    return true;
}

static bool save(struct settings *settings, const struct save_request *request,
                 struct save_result *result, struct fault *fault)
{
    const struct module_settings *module = find_module(settings, request->module);
    if (module == NULL)
        return fault_set(fault, "module `%.*s` is not in the files", STRVIEW_ARGS(request->module));
    const struct source *source = module->node->source;
    struct strview text;
    if (!check_values(request, module, fault) || !edit(settings, request, source, &text, fault))
        return false;
    result->changed = !strview_equal(text, source->text);
    snprintf(result->file, sizeof(result->file), "%.*s", STRVIEW_ARGS(source->path));
    return !result->changed || source_replace(source->path.data, source->text, text, fault);
}

bool settings_save_module(const struct save_request *request, struct save_result *ret_result,
                          struct fault *fault)
{
    struct config_report report;
    config_report_init(&report);
    struct settings *settings = settings_load(request->path, &report);
    config_report_done(&report);
    if (settings == NULL)
        return fault_set(fault, "the files have errors; `strangler check %s` shows them",
                         request->path);
    struct save_result result;
    bool good = save(settings, request, &result, fault);
    if (good)
        *ret_result = result;
    settings_free(settings);
    return good;
}
