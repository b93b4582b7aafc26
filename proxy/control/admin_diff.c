/* GET /diff: what the files say now, against what runs. */
#include <microhttpd.h>

#include "proxy/config/settings.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"

/* The files as they are now, compiled beside what runs. */
struct files {
    struct config_report report;
    struct endpoint_registry *registry;
    struct settings *settings;
    struct snapshot *snapshot; /* NULL: they have errors */
};

static void files_load(struct files *files, const char *path)
{
    config_report_init(&files->report);
    files->registry = endpoint_registry_new();
    files->settings = settings_load(path, &files->report);
    files->snapshot = files->settings != NULL
                          ? snapshot_build_offline(files->settings, files->registry, &files->report)
                          : NULL;
}

static void files_done(struct files *files)
{
    snapshot_unref(files->snapshot);
    settings_free(files->settings);
    endpoint_registry_free(files->registry);
    config_report_done(&files->report);
}

/* --- rows ---------------------------------------------------------------------------------- */

struct diff {
    const struct control *control;
    const struct module_table *files; /* NULL: what they said when they were read last */
    json_t *rows;
};

static json_t *add_row(struct diff *diff, struct strview module, struct strview key,
                       const char *because)
{
    json_t *row = json_pack("{s:o, s:o, s:s}", "module", json_text(module), "key", json_text(key),
                            "because", because);
    json_array_append_new(diff->rows, row);
    return row;
}

static void set_values(json_t *row, json_t *file, json_t *running)
{
    json_object_set_new(row, "file", file);
    json_object_set_new(row, "running", running);
}

static void set_note(json_t *row, const struct live_note *note)
{
    json_object_set_new(row, "who", json_text(strview_of(note->who)));
    json_object_set_new(row, "why", json_text(strview_of(note->why)));
    json_object_set_new(row, "at", json_time(note->unix_ms));
}

static uint64_t declared_value(const struct module *module, enum live_key key)
{
    if (key == LIVE_PERCENT)
        return module->threshold;
    return key == LIVE_STAGE ? (uint64_t)module->stage : (uint64_t)module->write_owner;
}

static void compare_value(struct diff *diff, const struct live_module *live, enum live_key key,
                          uint64_t file)
{
    const struct live_override *override = &live->overrides[key];
    uint64_t running = live_module_value(live, key);
    if (running == file && !override->on)
        return;
    bool edited = file != live->file[key];
    const char *because = !override->on ? "edited" : edited ? "command and edited" : "command";
    json_t *row = add_row(diff, strview_of(live->name), live_key_name(key), because);
    set_values(row, json_live_value(key, file), json_live_value(key, running));
    if (override->on)
        set_note(row, &override->note);
}

static void compare_state(struct diff *diff, const struct live_module *live)
{
    struct strview name = strview_of(live->name);
    uint64_t wanted = live_module_value(live, LIVE_WRITE_OWNER);
    if (live->latch.on) {
        json_t *row = add_row(diff, name, live_key_name(LIVE_ABORTED), "command");
        set_values(row, json_false(), json_true());
        set_note(row, &live->latch.note);
    }
    if (live->freeze.until_unix_ms != 0) {
        json_t *row = add_row(diff, name, live_key_name(LIVE_FROZEN), "command");
        set_values(row, json_null(), json_time(live->freeze.until_unix_ms));
        set_note(row, &live->freeze.note);
    }
    if (live_module_needs_flip(live)) {
        json_t *row = add_row(diff, name, live_key_name(LIVE_WRITE_OWNER), "not moved");
        set_values(row, json_live_value(LIVE_WRITE_OWNER, wanted),
                   json_live_value(LIVE_WRITE_OWNER, live->owner));
    }
}

static void compare_running(struct diff *diff, const struct live_module *live)
{
    const struct module *file = NULL;
    if (diff->files != NULL) {
        file = module_table_find(diff->files, strview_of(live->name));
        if (file == NULL) {
            set_values(add_row(diff, strview_of(live->name), STRVIEW("module"), "edited"),
                       json_false(), json_true());
            return;
        }
    }
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++)
        compare_value(diff, live, (enum live_key)key,
                      file != NULL ? declared_value(file, (enum live_key)key) : live->file[key]);
    compare_state(diff, live);
}

static bool is_running(const struct control *control, struct strview name)
{
    return module_table_find(control->publisher.current->modules, name) != NULL;
}

static void compare(struct diff *diff)
{
    const struct module_table *running = diff->control->publisher.current->modules;
    for (uint32_t i = 0; i < running->count; i++) {
        const struct live_module *live =
            live_state_find(diff->control->live, running->modules[i].name);
        if (live != NULL)
            compare_running(diff, live);
    }
    for (uint32_t i = 0; diff->files != NULL && i < diff->files->count; i++) {
        struct strview name = diff->files->modules[i].name;
        if (!is_running(diff->control, name))
            set_values(add_row(diff, name, STRVIEW("module"), "edited"), json_true(), json_false());
    }
}

void admin_diff(const struct admin_call *call)
{
    struct files files;
    files_load(&files, call->control->path);
    struct diff diff = {
        .control = call->control,
        .files = files.snapshot != NULL ? files.snapshot->modules : NULL,
        .rows = json_array(),
    };
    compare(&diff);
    admin_reply_json_take(
        call->request, MHD_HTTP_OK,
        json_pack("{s:I, s:b, s:o}", "generation", (json_int_t)control_generation(call->control),
                  "files_have_errors", (int)(files.snapshot == NULL), "differences", diff.rows));
    files_done(&files);
}
