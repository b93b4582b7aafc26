#include "proxy/explain/explain_internal.h"
#include "proxy/routing/bucket.h"

/* Bytes that are no UTF-8 become null. */
static json_t *json_text(struct strview text)
{
    json_t *value = json_stringn(text.data != NULL ? text.data : "", text.length);
    return value != NULL ? value : json_null();
}

static int refusal_of(const struct explanation *explanation)
{
    return explanation->verdict.status != 0 ? explanation->verdict.status
                                            : explanation->plan.refuse_status;
}

static json_t *json_request(const struct explanation *explanation)
{
    const struct request_head *request = &explanation->request;
    char client[ADDRESS_TEXT_BYTES];
    ip_format(&explanation->client, client);
    return json_pack("{s:o, s:o, s:o, s:o, s:s}", "method", json_text(request->method_text),
                     "scheme", json_text(request->scheme), "authority",
                     json_text(request->authority), "target", json_text(request->target), "client",
                     client);
}

static const char *path_kind_name(enum path_kind kind)
{
    switch (kind) {
    case PATH_CANONICAL:
        return "canonical";
    case PATH_AMBIGUOUS:
        return "ambiguous";
    case PATH_ASTERISK:
        return "asterisk";
    case PATH_INVALID:
        break;
    }
    return "invalid";
}

static json_t *json_route(const struct explanation *explanation)
{
    const struct route *route = explanation->plan.route;
    if (route == NULL)
        return json_null();
    const struct route_place *place = &explanation->snapshot->route_places[route->index];
    return json_pack("{s:o, s:o, s:i}", "name", json_text(route->name), "file",
                     json_text(place->file), "line", (int)place->line);
}

static double percent_of(uint32_t threshold)
{
    return (double)threshold / BUCKETS_PER_PERCENT;
}

static json_t *json_module(const struct module *module)
{
    if (module == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:f, s:i, s:o, s:o, s:b, s:b}", "name", json_text(module->name),
                     "stage", json_text(stage_name(module->stage)), "percent",
                     percent_of(module->threshold), "threshold", (int)module->threshold, "cohort",
                     json_text(module->cohort), "write_owner",
                     json_text(write_owner_name(module->write_owner)), "aborted",
                     (int)module->aborted, "frozen", (int)module->frozen);
}

static struct strview identity_word(enum identity_kind kind)
{
    switch (kind) {
    case IDENTITY_ASSIGN:
        return STRVIEW("assign");
    case IDENTITY_ADDRESS:
        return STRVIEW("address");
    case IDENTITY_COOKIE:
        return STRVIEW("cookie");
    case IDENTITY_HEADER:
        return STRVIEW("header");
    case IDENTITY_NONE:
        break;
    }
    return STRVIEW("none");
}

static json_t *json_identity(const struct explanation *explanation)
{
    const struct identity *identity = &explanation->plan.identity;
    if (identity->value.length == 0 || explanation->source == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:b}", "value", json_text(identity->value), "source",
                     json_text(identity_word(explanation->source->kind)), "name",
                     json_text(explanation->source->name), "assigned", (int)identity->assigned);
}

static json_t *json_endpoints(const struct backend *backend)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < backend->name_count; i++)
        json_array_append_new(list, json_text(backend->names[i].text));
    return list;
}

/* A write of a frozen module has no side yet: it waits. */
static bool is_held(const struct plan *plan)
{
    return plan->reason == REASON_FREEZE;
}

static void add_sent(json_t *object, const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    if (is_held(plan)) {
        json_object_set_new(object, "held", json_true());
        return;
    }
    const struct backend *backend = &explanation->snapshot->backends[plan->backend];
    json_object_set_new(object, "side", json_text(side_name(plan->side)));
    json_object_set_new(object, "backend", json_text(backend->name));
    json_object_set_new(object, "protocol",
                        json_string(backend->protocol == BACKEND_H2 ? "h2" : "http/1.1"));
    json_object_set_new(object, "endpoints", json_endpoints(backend));
    json_object_set_new(object, "sent_path", json_text(plan->path));
    json_object_set_new(object, "sent_query", json_text(explanation->request.query));
    json_object_set_new(object, "rewritten", json_boolean(plan->rewritten));
    if (plan_may_fall_back(plan, &explanation->request))
        json_object_set_new(object, "fallback_after_ms",
                            json_integer((json_int_t)plan->module->fallback_after_ms));
}

json_t *explain_json(const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    char reason[PLAN_REASON_BYTES];
    plan_reason_format(plan, reason);
    int refusal = refusal_of(explanation);
    json_t *object =
        json_pack("{s:o, s:o, s:s, s:o, s:o, s:s}", "request", json_request(explanation), "path",
                  json_text(explanation->request.path), "path_kind",
                  path_kind_name(explanation->request.path_kind), "route", json_route(explanation),
                  "module", json_module(plan->module), "kind", plan->is_write ? "write" : "read");
    json_object_set_new(object, "identity", json_identity(explanation));
    json_object_set_new(object, "override", explain_json_override(explanation));
    json_object_set_new(object, "pin", explain_json_pin(explanation));
    json_object_set_new(object, "bucket",
                        plan->has_bucket ? json_integer(plan->bucket) : json_null());
    json_object_set_new(object, "status", refusal != 0 ? json_integer(refusal) : json_null());
    if (refusal == 0)
        add_sent(object, explanation);
    json_object_set_new(object, "reason", json_string(reason));
    json_object_set_new(object, "why", json_string(explain_why(explanation)));
    return object;
}
