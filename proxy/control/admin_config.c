/* GET /config and /backends, POST /endpoints/drain: what the files made, and the endpoints. */
#include <microhttpd.h>

#include "proxy/backend/endpoint_health.h"
#include "proxy/control/admin_body.h"
#include "proxy/control/admin_pages.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

/* --- configuration ------------------------------------------------------------------------- */

static json_t *json_listeners(const struct snapshot *snapshot)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        const struct listener_config *listener = &snapshot->listeners[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "name", json_text(listener->name),
                                              "address", json_text(listener->address_text), "tls",
                                              (int)(listener->tls != NULL)));
    }
    return list;
}

static json_t *json_limits(const struct limits *limits)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "header_bytes",
                     (json_int_t)limits->header_bytes, "header_fields",
                     (json_int_t)limits->header_fields, "body_bytes",
                     (json_int_t)limits->body_bytes, "streams", (json_int_t)limits->streams,
                     "connections", (json_int_t)limits->connections, "header_timeout_ms",
                     (json_int_t)limits->header_timeout_ms, "body_timeout_ms",
                     (json_int_t)limits->body_timeout_ms, "write_timeout_ms",
                     (json_int_t)limits->write_timeout_ms, "idle_timeout_ms",
                     (json_int_t)limits->idle_timeout_ms, "drain_timeout_ms",
                     (json_int_t)limits->drain_timeout_ms);
}

static json_t *json_access_log(const struct access_log_config *log)
{
    if (!log->enabled)
        return json_null();
    return json_pack("{s:o, s:s}", "path", json_text(log->path), "format",
                     log->combined ? "combined" : "json");
}

void admin_config(const struct admin_call *call)
{
    const struct control *control = call->control;
    const struct snapshot *snapshot = control->publisher.current;
    struct strview backend = snapshot->backends[snapshot->rules.default_backend].name;
    admin_reply_json_take(
        call->request, MHD_HTTP_OK,
        json_pack("{s:o, s:I, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i}", "path",
                  json_text(strview_of(control->path)), "generation",
                  (json_int_t)snapshot->generation, "last_reload_successful",
                  (int)control->last_reload_successful, "workers", (int)control->worker_count,
                  "state_dir", json_text(strview_of(control->state_dir)), "listeners",
                  json_listeners(snapshot), "limits", json_limits(&snapshot->limits), "access_log",
                  json_access_log(&snapshot->access_log), "default", json_text(backend), "routes",
                  (int)snapshot->route_count, "modules", (int)snapshot->modules->count, "backends",
                  (int)snapshot->backend_count));
}

/* --- endpoints ----------------------------------------------------------------------------- */

static json_t *json_endpoint(const struct control *control, const struct backend *backend,
                             const struct endpoint_slot *slot)
{
    const struct endpoint_state *endpoint = slot->state;
    struct endpoint_view view = endpoint_view(endpoint, control->loop.now_ms);
    json_t *object =
        json_pack("{s:o, s:o, s:i, s:o, s:b, s:b, s:i, s:I, s:I, s:I}", "endpoint",
                  json_sprintf("%.*s/%.*s", STRVIEW_ARGS(backend->name),
                               STRVIEW_ARGS(endpoint->address_text)),
                  "address", json_text(endpoint->address_text), "weight", (int)slot->weight,
                  "state", json_text(endpoint_condition_name(view.condition)), "healthy",
                  (int)(view.condition == ENDPOINT_IS_HEALTHY), "draining", (int)view.draining,
                  "failures_in_row", (int)view.failures_in_row, "ejected_for_ms",
                  (json_int_t)view.ejected_for_ms, "failures", (json_int_t)view.failures,
                  "ejections", (json_int_t)view.ejections);
    json_object_set_new(object, "tls_fault",
                        view.tls_fault != NULL ? json_string(view.tls_fault) : json_null());
    return object;
}

static json_t *json_backend(const struct control *control, const struct backend *backend)
{
    const struct endpoint_set *set = backend_endpoints(backend);
    json_t *list = json_array();
    for (uint32_t i = 0; i < set->count; i++)
        json_array_append_new(list, json_endpoint(control, backend, &set->slots[i]));
    return json_pack("{s:o, s:s, s:b, s:o}", "name", json_text(backend->name), "protocol",
                     backend->protocol == BACKEND_H2 ? "h2" : "http/1.1", "tls",
                     (int)(backend->tls != NULL), "endpoints", list);
}

void admin_backends(const struct admin_call *call)
{
    const struct snapshot *snapshot = call->control->publisher.current;
    json_t *list = json_array();
    for (uint32_t i = 0; i < snapshot->backend_count; i++)
        json_array_append_new(list, json_backend(call->control, &snapshot->backends[i]));
    admin_reply_json_take(
        call->request, MHD_HTTP_OK,
        json_pack("{s:I, s:o}", "generation", (json_int_t)snapshot->generation, "backends", list));
}

/* --- draining ------------------------------------------------------------------------------ */

struct drain_body {
    struct strview endpoint;
    bool drain;
    struct strview who;
    struct strview why;
};

static const struct body_key drain_keys[] = {
    {"endpoint", BODY_TEXT, true, offsetof(struct drain_body, endpoint), 0},
    {"drain", BODY_FLAG, false, offsetof(struct drain_body, drain), 0},
    {"who", BODY_TEXT, false, offsetof(struct drain_body, who), LIVE_WHO_BYTES - 1},
    {"why", BODY_TEXT, false, offsetof(struct drain_body, why), LIVE_WHY_BYTES - 1},
    {NULL, BODY_TEXT, false, 0, 0},
};

struct found_endpoint {
    const struct backend *backend;
    const struct endpoint_slot *slot; /* NULL: none is called so */
};

static bool is_called(const struct backend *backend, const struct endpoint_state *endpoint,
                      struct strview name)
{
    size_t slash = strview_find(name, '/');
    return slash < name.length && strview_equal(strview_make(name.data, slash), backend->name) &&
           strview_equal(strview_from(name, slash + 1), endpoint->address_text);
}

static struct found_endpoint find_endpoint(const struct snapshot *snapshot, struct strview name)
{
    struct found_endpoint found = {.slot = NULL};
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        const struct endpoint_set *set = backend_endpoints(&snapshot->backends[i]);
        for (uint32_t k = 0; k < set->count; k++) {
            found.backend = &snapshot->backends[i];
            found.slot = &set->slots[k];
            if (is_called(found.backend, found.slot->state, name))
                return found;
        }
    }
    found.slot = NULL;
    return found;
}

void admin_drain(const struct admin_call *call)
{
    struct control *control = call->control;
    struct drain_body body = {.drain = true};
    if (!admin_body_read(call, drain_keys, &body))
        return;
    struct found_endpoint found = find_endpoint(control->publisher.current, body.endpoint);
    if (found.slot == NULL) {
        admin_reply_problem(call->request, MHD_HTTP_NOT_FOUND,
                            "no endpoint is called `%.*s`; `strangler backends` shows all",
                            STRVIEW_ARGS(body.endpoint));
        return;
    }
    bool changes = endpoint_view(found.slot->state, control->loop.now_ms).draining != body.drain;
    endpoint_set_draining(found.slot->state, body.drain);
    if (changes)
        log_info("endpoint %.*s %s, by %.*s", STRVIEW_ARGS(body.endpoint),
                 body.drain ? "takes no new requests" : "takes requests again",
                 STRVIEW_ARGS(body.who));
    admin_reply_json_take(call->request, MHD_HTTP_OK,
                          json_pack("{s:b, s:b, s:I, s:o, s:o}", "changed", (int)changes, "durable",
                                    0, "generation", (json_int_t)control_generation(control),
                                    "entry", json_null(), "endpoint",
                                    json_endpoint(control, found.backend, found.slot)));
}
