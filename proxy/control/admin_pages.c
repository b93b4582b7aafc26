#include "proxy/control/admin_pages.h"

#include <microhttpd.h>

#include "proxy/control/admin_module.h"
#include "proxy/control/control_internal.h"

static json_t *json_generation(const struct control *control)
{
    return json_integer((json_int_t)control_generation(control));
}

void admin_ready(const struct admin_call *call)
{
    const struct control *control = call->control;
    bool ready = control->publisher.current != NULL && !control->draining;
    json_t *body = json_pack("{s:b, s:o}", "ready", (int)ready, "generation",
                             ready ? json_generation(control) : json_integer(0));
    admin_reply_json_take(call->request, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, body);
}

void admin_index(const struct admin_call *call)
{
    json_t *pages = json_array();
    for (const struct admin_route *route = admin_routes; route->path != NULL; route++)
        json_array_append_new(
            pages, json_pack("{s:s, s:s}", "method", route->method, "path", route->path));
    admin_reply_json_take(call->request, MHD_HTTP_OK, json_pack("{s:o}", "pages", pages));
}

void admin_generation(const struct admin_call *call)
{
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:o}", "generation", json_generation(call->control)));
}

/* --- modules ------------------------------------------------------------------------------- */

static int64_t count_exchanges(const struct control *control)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < control->worker_count; i++)
        sum +=
            atomic_load_explicit(&control->shards[i]->gauges.live_exchanges, memory_order_relaxed);
    return sum;
}

void admin_status(const struct admin_call *call)
{
    struct control *control = call->control;
    module_stats_refresh(&control->stats);
    admin_reply_json_take(
        call->request, MHD_HTTP_OK,
        json_pack("{s:s, s:o, s:i, s:b, s:b, s:I, s:f, s:o}", "version", STRANGLER_VERSION,
                  "generation", json_generation(control), "workers", (int)control->worker_count,
                  "draining", (int)control->draining, "last_reload_successful",
                  (int)control->last_reload_successful, "live_exchanges",
                  (json_int_t)count_exchanges(control), "window_s",
                  module_stats_seconds(&control->stats), "modules", json_modules(control)));
}

void admin_modules(const struct admin_call *call)
{
    module_stats_refresh(&call->control->stats);
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:o, s:o}", "generation", json_generation(call->control),
                                    "modules", json_modules(call->control)));
}

void admin_module(const struct admin_call *call)
{
    module_stats_refresh(&call->control->stats);
    json_t *module = json_module(call->control, call->name);
    if (module != NULL)
        admin_reply_json_take(call->request, MHD_HTTP_OK, module);
    else
        admin_reply_suggestion(call->request, MHD_HTTP_NOT_FOUND,
                               suggest_module(call->control, call->name),
                               "no module is called `%.*s`", STRVIEW_ARGS(call->name));
}

/* --- routes -------------------------------------------------------------------------------- */

static json_t *json_goes_to(const struct snapshot *snapshot, uint32_t index)
{
    const struct route_place *place = &snapshot->route_places[index];
    const struct module *module =
        module_table_find(snapshot->modules, snapshot->route_infos[index].module);
    if (module == NULL)
        return json_text(place->backend);
    struct strview legacy = snapshot->backends[module->legacy_backend].name;
    struct strview extracted = snapshot->backends[module->extracted_backend].name;
    return json_sprintf("%.*s or %.*s", STRVIEW_ARGS(legacy), STRVIEW_ARGS(extracted));
}

void admin_routes_page(const struct admin_call *call)
{
    const struct snapshot *snapshot = call->control->publisher.current;
    json_t *list = json_array();
    for (uint32_t i = 0; i < snapshot->route_count; i++) {
        const struct route_info *info = &snapshot->route_infos[i];
        const struct route_place *place = &snapshot->route_places[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "route", json_text(info->name),
                      "module", info->module.length > 0 ? json_text(info->module) : json_null(),
                      "takes", json_text(place->takes), "goes_to", json_goes_to(snapshot, i),
                      "deny",
                      place->deny_status > 0 ? json_integer(place->deny_status) : json_null(),
                      "file", json_text(place->file), "line", (int)place->line));
    }
    struct strview backend = snapshot->backends[snapshot->rules.default_backend].name;
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:o, s:o, s:o}", "generation", json_generation(call->control),
                                    "default", json_text(backend), "routes", list));
}
