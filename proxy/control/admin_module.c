#include "proxy/control/admin_module.h"

#include <stdio.h>

#include "proxy/backend/endpoint_health.h"
#include "proxy/config/suggestion.h"
#include "proxy/control/admin_json.h"
#include "proxy/control/admin_shadow.h"
#include "proxy/control/control_internal.h"

json_t *json_live_value(enum live_key key, uint64_t value)
{
    char text[LIVE_VALUE_BYTES];
    switch (key) {
    case LIVE_PERCENT:
        return json_percent((uint32_t)value);
    case LIVE_ABORTED:
        return json_boolean(value != 0);
    case LIVE_FROZEN:
        return json_time(value);
    case LIVE_STAGE:
    case LIVE_WRITE_OWNER:
    case LIVE_KEY_COUNT:
        break;
    }
    return json_string(live_value_format(key, value, text));
}

static void add_note(json_t *object, const struct live_note *note, const char *time_key)
{
    json_object_set_new(object, "who", json_text(strview_of(note->who)));
    json_object_set_new(object, "why", json_text(strview_of(note->why)));
    json_object_set_new(object, time_key, json_time(note->unix_ms));
}

static json_t *json_overrides(const struct live_module *module)
{
    json_t *list = json_array();
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++) {
        const struct live_override *override = &module->overrides[key];
        if (!override->on)
            continue;
        json_t *row =
            json_pack("{s:o, s:o, s:o}", "key", json_text(live_key_name((enum live_key)key)),
                      "file", json_live_value((enum live_key)key, override->file), "running",
                      json_live_value((enum live_key)key, override->running));
        add_note(row, &override->note, "at");
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *json_latch(const struct live_latch *latch)
{
    if (!latch->on)
        return json_false();
    json_t *object = json_pack("{s:b}", "durable", (int)latch->durable);
    add_note(object, &latch->note, "since");
    return object;
}

static json_t *json_freeze(const struct live_freeze *freeze)
{
    if (freeze->until_unix_ms == 0)
        return json_false();
    json_t *object = json_pack("{s:o}", "until", json_time(freeze->until_unix_ms));
    add_note(object, &freeze->note, "since");
    return object;
}

static json_t *json_pending(const struct live_pending *pending)
{
    if (pending->entry == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:I}", "key", json_text(live_key_name(pending->key)),
                     "value", json_live_value(pending->key, pending->value), "back_to",
                     json_live_value(pending->key, pending->back_to), "revert_at",
                     json_time(pending->revert_at_unix_ms), "entry", (json_int_t)pending->entry);
}

json_t *json_live(const struct live_module *module)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:o}", "aborted", json_latch(&module->latch), "frozen",
                     json_freeze(&module->freeze), "flipping", (int)module->flipping, "pending",
                     json_pending(&module->pending), "overrides", json_overrides(module));
}

static json_t *json_file(const struct live_module *module)
{
    json_t *object = json_object();
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++)
        json_object_set_new(object, live_key_name((enum live_key)key).data,
                            json_live_value((enum live_key)key, module->file[key]));
    return object;
}

/* --- traffic ------------------------------------------------------------------------------- */

static json_t *json_side(const struct control *control, const struct module *module, enum side side)
{
    struct side_window window = module_stats_window(&control->stats, module->name, side);
    double seconds = window.seconds > 0.001 ? window.seconds : 0.001;
    bool any = window.requests > 0;
    uint32_t index = side == SIDE_LEGACY ? module->legacy_backend : module->extracted_backend;
    const struct backend *backend = &control->publisher.current->backends[index];
    return json_pack(
        "{s:o, s:I, s:I, s:f, s:o, s:o, s:o, s:o}", "backend", json_text(backend->name), "requests",
        (json_int_t)window.requests, "errors", (json_int_t)window.errors, "requests_per_s",
        (double)window.requests / seconds, "errors_percent",
        any ? json_real(100.0 * (double)window.errors / (double)window.requests) : json_null(),
        "p50_ms", any ? json_real(window.p50_ms) : json_null(), "p90_ms",
        any ? json_real(window.p90_ms) : json_null(), "p99_ms",
        any ? json_real(window.p99_ms) : json_null());
}

static bool has_healthy_endpoint(const struct control *control, uint32_t backend)
{
    const struct endpoint_set *set =
        backend_endpoints(&control->publisher.current->backends[backend]);
    for (uint32_t i = 0; i < set->count; i++) {
        if (endpoint_view(set->slots[i].state, control->loop.now_ms).condition ==
            ENDPOINT_IS_HEALTHY)
            return true;
    }
    return false;
}

/* Could reads go back to legacy now? Null when there is nothing to go back from. In stage ramp
 * legacy serves people all the time; in live it has to be proven. */
static void add_way_back(json_t *object, const struct control *control, const struct module *module)
{
    char why[ROLLBACK_WHY_BYTES] = "";
    bool from_here = module->stage != STAGE_LEGACY && module->stage != STAGE_SHADOW;
    bool ready = false;
    if (module->stage == STAGE_RETIRED)
        snprintf(why, sizeof(why), "retired");
    else if (!has_healthy_endpoint(control, module->legacy_backend))
        snprintf(why, sizeof(why), "legacy is not healthy");
    else
        ready = module->stage == STAGE_RAMP || shadow_proves_way_back(control, module, why);
    json_object_set_new(object, "rollback_ready", from_here ? json_boolean(ready) : json_null());
    json_object_set_new(object, "rollback_why",
                        from_here && !ready ? json_string(why) : json_null());
}

/* --- modules ------------------------------------------------------------------------------- */

static json_t *json_one(const struct control *control, const struct module *module)
{
    const struct snapshot *snapshot = control->publisher.current;
    const struct live_module *live = live_state_find(control->live, module->name);
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", json_text(module->name), "stage",
                  json_text(stage_name(module->stage)), "percent", json_percent(module->threshold),
                  "write_owner", json_text(write_owner_name(module->write_owner)), "cohort",
                  json_text(module->cohort), "legacy",
                  json_text(snapshot->backends[module->legacy_backend].name), "extracted",
                  json_text(snapshot->backends[module->extracted_backend].name));
    if (live != NULL) {
        json_object_set_new(object, "epoch", json_integer((json_int_t)live->epoch));
        json_object_set_new(object, "file", json_file(live));
        json_t *state = json_live(live);
        json_object_update(object, state);
        json_decref(state);
    }
    json_object_set_new(object, "legacy_side", json_side(control, module, SIDE_LEGACY));
    json_object_set_new(object, "extracted_side", json_side(control, module, SIDE_EXTRACTED));
    json_object_set_new(object, "shadow", json_shadow(control, module));
    json_object_set_new(object, "mismatch_percent", json_mismatch_rate(control, module));
    add_way_back(object, control, module);
    return object;
}

json_t *json_module(const struct control *control, struct strview name)
{
    const struct module *module = module_table_find(control->publisher.current->modules, name);
    return module != NULL ? json_one(control, module) : NULL;
}

json_t *json_modules(const struct control *control)
{
    const struct module_table *table = control->publisher.current->modules;
    json_t *list = json_array();
    for (uint32_t i = 0; i < table->count; i++)
        json_array_append_new(list, json_one(control, &table->modules[i]));
    return list;
}

struct strview suggest_module(const struct control *control, struct strview wrong)
{
    const struct module_table *table = control->publisher.current->modules;
    struct suggestion suggestion = suggestion_begin(wrong);
    for (uint32_t i = 0; i < table->count; i++)
        suggestion_offer(&suggestion, table->modules[i].name);
    return suggestion.best;
}
