/* POST /save: what was changed by commands becomes what the files say. */
#include <microhttpd.h>
#include <stdio.h>

#include "proxy/config/settings_save.h"
#include "proxy/control/admin_body.h"
#include "proxy/control/admin_history.h"
#include "proxy/control/admin_module.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"

struct saving {
    struct control *control;
    struct strview who;
    struct strview why;
    bool force;
    struct change_result result; /* of the last module */
    bool changed;
    json_t *saved;
};

static const struct body_key keys[] = {
    {"who", BODY_TEXT, false, offsetof(struct saving, who), LIVE_WHO_BYTES - 1},
    {"why", BODY_TEXT, false, offsetof(struct saving, why), LIVE_WHY_BYTES - 1},
    {"force", BODY_FLAG, false, offsetof(struct saving, force), 0},
    {NULL, BODY_TEXT, false, 0, 0},
};

static void on_done(void *owner, const struct change_result *result)
{
    struct saving *saving = owner;
    saving->result = *result;
}

/* The file first: when the journal then fails, the override only says the same as the file. */
static bool save_module(struct saving *saving, const struct live_module *module,
                        struct fault *fault)
{
    char texts[LIVE_DECLARED_COUNT][LIVE_VALUE_BYTES];
    struct saved_value values[LIVE_DECLARED_COUNT];
    size_t count = 0;
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++) {
        if (!module->overrides[key].on)
            continue;
        const char *text =
            live_value_format((enum live_key)key, module->overrides[key].running, texts[count]);
        values[count++] = (struct saved_value){
            .edit = {live_key_name((enum live_key)key), strview_of(text), key != LIVE_PERCENT},
            .was = (int64_t)module->overrides[key].file,
        };
    }
    if (count == 0)
        return true;
    struct save_result file;
    struct change change = {.verb = CHANGE_SAVE, .who = saving->who, .why = saving->why};
    change.module = strview_of(module->name);
    const struct save_request request = {
        .path = saving->control->path,
        .module = change.module,
        .values = values,
        .value_count = count,
        .force = saving->force,
    };
    if (!settings_save_module(&request, &file, fault))
        return false;
    json_array_append_new(saving->saved, json_pack("{s:o, s:s}", "module", json_text(change.module),
                                                   "file", file.file));
    control_change(saving->control, &change, on_done, saving);
    saving->changed = true;
    return saving->result.status == MHD_HTTP_OK || fault_set(fault, "%s", saving->result.detail);
}

/* Their names, since a save makes another live state. */
static bool save_all(struct saving *saving, struct strview name, struct fault *fault)
{
    const struct module_table *table = saving->control->publisher.current->modules;
    for (uint32_t i = 0; i < table->count; i++) {
        if (name.length > 0 && !strview_equal(name, table->modules[i].name))
            continue;
        const struct live_module *module =
            live_state_find(saving->control->live, table->modules[i].name);
        if (module != NULL && !save_module(saving, module, fault))
            return false;
    }
    return true;
}

static void reply_saved(const struct admin_call *call, struct saving *saving)
{
    json_t *body = json_pack(
        "{s:b, s:b, s:I, s:o, s:o, s:O}", "changed", (int)saving->changed, "durable", 1,
        "generation", (json_int_t)control_generation(saving->control), "entry",
        saving->result.entry > 0 ? json_integer((json_int_t)saving->result.entry) : json_null(),
        "changes", json_array(), "saved", saving->saved);
    if (!saving->changed)
        json_object_set_new(body, "note", json_string("the files say already what is in force"));
    json_t *module = json_module(saving->control, call->name);
    if (module != NULL)
        json_object_set_new(body, "module", module);
    admin_reply_json_take(call->request, MHD_HTTP_OK, body);
}

/* The generation may have been meant, the module may not be there, the proxy may be ending. */
static bool may_save(const struct admin_call *call)
{
    uint64_t generation;
    struct control *control = call->control;
    if (!admin_if_match(call, &generation))
        return false;
    if (call->name.length > 0 &&
        module_table_find(control->publisher.current->modules, call->name) == NULL)
        admin_reply_suggestion(call->request, MHD_HTTP_NOT_FOUND,
                               suggest_module(control, call->name), "no module is called `%.*s`",
                               STRVIEW_ARGS(call->name));
    else if (generation != 0 && generation != control_generation(control))
        admin_reply_problem(call->request, MHD_HTTP_PRECONDITION_FAILED,
                            "generation %llu is in force, and the order was for %llu",
                            (unsigned long long)control_generation(control),
                            (unsigned long long)generation);
    else if (control->draining)
        admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE, "the proxy is ending");
    else if (hand_over_is_on(&control->hand_over)) /* it may have read the files already */
        admin_reply_problem(call->request, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "a hand-over to a new process is under way; save after it");
    else
        return true;
    return false;
}

void admin_save(const struct admin_call *call)
{
    struct fault fault;
    struct saving saving = {.control = call->control};
    if (!admin_body_read(call, keys, &saving) || !may_save(call))
        return;
    saving.saved = json_array();
    if (save_all(&saving, call->name, &fault))
        reply_saved(call, &saving);
    else
        admin_reply_problem(call->request, MHD_HTTP_CONFLICT, "%s%s", fault.text,
                            saving.changed ? " (other modules were saved before)" : "");
    json_decref(saving.saved);
}
