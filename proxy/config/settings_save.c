#include "proxy/config/settings_save.h"

#include <stdio.h>

#include "proxy/config/settings_values.h"
#include "proxy/config/source_replace.h"

static const struct source *find_source(const struct settings *settings, struct strview module)
{
    int64_t index = name_index_find(&settings->modules.names, module);
    return index == NAME_INDEX_NONE ? NULL : settings->modules.items[index].node->source;
}

/* The text of the module's file with all values in it; false with a fault. */
static bool edit(struct settings *settings, const struct save_request *request,
                 const struct source *source, struct strview *ret_text, struct fault *fault)
{
    struct strview text = source->text;
    for (size_t i = 0; i < request->edit_count; i++) {
        if (!source_edit_set(&settings->arena, text, request->module, &request->edits[i], &text,
                             fault))
            return false;
    }
    *ret_text = text;
    return true;
}

static bool save(struct settings *settings, const struct save_request *request,
                 struct save_result *result, struct fault *fault)
{
    const struct source *source = find_source(settings, request->module);
    if (source == NULL)
        return fault_set(fault, "module `%.*s` is not in the files", STRVIEW_ARGS(request->module));
    struct strview text;
    if (!edit(settings, request, source, &text, fault))
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
