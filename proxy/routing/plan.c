#include "proxy/routing/plan.h"

#include "proxy/core/decimal.h"
#include "proxy/routing/bucket.h"

/* What one decision is made from. */
struct planning {
    const struct plan_rules *rules;
    const struct request_head *request;
    const struct plan_facts *facts;
    struct arena *arena;
    struct match_scratch *scratch;
};

static void plan_refuse(struct plan *plan, int status, enum reason reason)
{
    plan->refuse_status = status;
    plan->reason = reason;
}

/* Refuses when a guarded route keeps this client out, by the canonical path or by a folded form. */
static bool plan_guard(const struct planning *planning, struct plan *plan)
{
    const struct ip_address *client = &planning->facts->client;
    int status = plan->route != NULL ? route_refusal(plan->route, client) : 0;
    if (status == 0) {
        const struct route *guard = route_table_find_guard(
            planning->rules->routes, planning->request, client, planning->arena, planning->scratch);
        if (guard == NULL)
            return true;
        plan->route = guard;
        status = route_refusal(guard, client);
    }
    plan_refuse(plan, status, REASON_DENY);
    return false;
}

static bool route_is_write(const struct route *route, enum http_method method)
{
    if (route != NULL && (route->treat_as_read || route->treat_as_write))
        return route->treat_as_write;
    /* An extended CONNECT counts as the GET it stands for. */
    return !http_method_is_read(method) && method != METHOD_CONNECT;
}

/* Only where something is decided or sampled by it, so that nobody gets a cookie for nothing. */
static bool stage_needs_identity(enum stage stage)
{
    return stage == STAGE_SHADOW || stage == STAGE_RAMP || stage == STAGE_LIVE;
}

static bool has_field(const struct headers *headers, enum header_token token)
{
    return headers_find(headers, token) != NULL;
}

static void find_override(const struct planning *planning, struct plan *plan,
                          struct cutover_facts *facts)
{
    const struct override_rules *rules = &planning->rules->override;
    const struct headers *headers = &planning->request->headers;
    if (rules->cookie.length == 0 && !has_field(headers, HEADER_X_STRANGLER))
        return;
    plan->override =
        override_of_request(rules, headers, &planning->facts->client, &plan->override_side);
    if (plan->override == OVERRIDE_GOOD)
        facts->override = plan->override_side;
}

static void find_pin(const struct planning *planning, struct plan *plan,
                     struct cutover_facts *facts)
{
    const struct headers *headers = &planning->request->headers;
    if (plan->is_write || !forwarding_may_have_proxy_cookie(headers))
        return;
    plan->pin = pin_of_request(planning->rules->pin_keys, plan->module, headers,
                               planning->facts->now_ms, &plan->pin_held);
    if (plan->pin == PIN_GOOD)
        facts->pin = plan->pin_held.side;
}

static void plan_module(const struct planning *planning, struct plan *plan)
{
    const struct plan_rules *rules = planning->rules;
    const struct module *module = &rules->modules->modules[plan->route->module];
    const struct identity_facts facts = {.client = planning->facts->client,
                                         .random = planning->facts->random};
    plan->module = module;
    if (stage_needs_identity(module->stage))
        plan->identity = identity_of(rules->identity, rules->identity_count, planning->request,
                                     &facts, planning->arena);
    struct cutover_facts wanted = {.is_write = plan->is_write, .identity = &plan->identity};
    find_override(planning, plan, &wanted);
    find_pin(planning, plan, &wanted);
    struct cutover cutover = cutover_decide(module, &wanted);
    plan->side = cutover.side;
    plan->reason = cutover.reason;
    plan->has_bucket = cutover.has_bucket;
    plan->bucket = cutover.bucket;
    plan->backend =
        cutover.side == SIDE_EXTRACTED ? module->extracted_backend : module->legacy_backend;
}

static void plan_route(const struct planning *planning, struct plan *plan)
{
    if (plan->route->module != ROUTE_NO_MODULE) {
        plan_module(planning, plan);
        return;
    }
    plan->reason = REASON_ROUTE;
    if (plan->route->backend != ROUTE_NO_BACKEND)
        plan->backend = (uint32_t)plan->route->backend;
}

/* In a module the extracted side alone has other paths; legacy keeps its own. */
static void plan_rewrite(const struct planning *planning, struct plan *plan)
{
    if (plan->route->rewrite == NULL || plan->side == SIDE_LEGACY)
        return;
    struct strview path;
    if (!route_rewrite_apply(plan->route, plan->path, planning->arena, planning->scratch, &path)) {
        plan_refuse(plan, 400, REASON_REJECTED);
        return;
    }
    plan->rewritten = !strview_equal(path, plan->path);
    plan->path = path;
}

/* Are copies sent? Not after an abort: who had reason to leave the extracted side alone wants it
 * left alone. */
static bool stage_copies(const struct module *module)
{
    return !module->aborted && (module->stage == STAGE_SHADOW || module->stage == STAGE_RAMP ||
                                module->stage == STAGE_LIVE);
}

/* Whole people are sampled, so that their requests are seen in a row; nobody in particular belongs
 * only to everybody. */
static bool is_sampled(const struct planning *planning, const struct plan *plan)
{
    const struct module *module = plan->module;
    uint32_t method = UINT32_C(1) << planning->request->method;
    if (!stage_copies(module) || plan->side == SIDE_NONE || (module->shadow_methods & method) == 0)
        return false;
    if (plan->identity.value.length == 0)
        return module->shadow_threshold == BUCKET_COUNT;
    uint32_t bucket = bucket_of(module->shadow_cohort, plan->identity.value);
    return bucket_is_extracted(bucket, module->shadow_threshold);
}

/* A copy to the extracted side has its path, one to legacy the original. */
static void plan_shadow(const struct planning *planning, struct plan *plan)
{
    const struct module *module = plan->module;
    if (module == NULL || module->shadow_threshold == 0 || plan->refuse_status != 0 ||
        !is_sampled(planning, plan))
        return;
    bool to_extracted = plan->side == SIDE_LEGACY;
    struct strview path = planning->request->path;
    if (to_extracted && plan->route->rewrite != NULL &&
        !route_rewrite_apply(plan->route, path, planning->arena, planning->scratch, &path))
        return;
    plan->shadow = true;
    plan->shadow_backend = to_extracted ? module->extracted_backend : module->legacy_backend;
    plan->shadow_path = path;
}

/* Malformed is refused; ambiguous is refused or left to default's own reading, guarded. */
static void plan_other_path(const struct planning *planning, struct plan *plan)
{
    enum path_kind kind = planning->request->path_kind;
    if (kind == PATH_ASTERISK)
        return;
    if (kind == PATH_INVALID || planning->rules->ambiguous_paths == AMBIGUOUS_PATHS_REFUSE)
        plan_refuse(plan, 400, REASON_REJECTED);
    else if (plan_guard(planning, plan))
        plan->reason = REASON_AMBIGUOUS;
}

void plan_request(const struct plan_rules *rules, const struct request_head *request,
                  const struct plan_facts *facts, struct arena *arena,
                  struct match_scratch *scratch, struct plan *ret_plan)
{
    const struct planning planning = {rules, request, facts, arena, scratch};
    *ret_plan = (struct plan){
        .side = SIDE_NONE,
        .reason = REASON_DEFAULT,
        .is_write = route_is_write(NULL, request->method),
        .backend = rules->default_backend,
        .path = request->path,
        .identity = {.kind = IDENTITY_NONE},
    };
    if (request->path_kind != PATH_CANONICAL) {
        plan_other_path(&planning, ret_plan);
        return;
    }
    ret_plan->route = route_table_find(rules->routes, request, scratch);
    if (!plan_guard(&planning, ret_plan) || ret_plan->route == NULL)
        return;
    ret_plan->is_write = route_is_write(ret_plan->route, request->method);
    plan_route(&planning, ret_plan);
    plan_rewrite(&planning, ret_plan);
    plan_shadow(&planning, ret_plan);
}

bool plan_may_fall_back(const struct plan *plan, const struct request_head *request)
{
    if (plan->module == NULL || !plan->module->falls_back || plan->side != SIDE_EXTRACTED)
        return false;
    if (plan->is_write || request->has_body || cutover_is_closed(plan->module, SIDE_LEGACY))
        return false;
    return plan->reason != REASON_OVERRIDE && plan->reason != REASON_PIN;
}

void plan_fall_back(struct plan *plan, const struct request_head *request)
{
    plan->side = SIDE_LEGACY;
    plan->reason = REASON_FALLBACK;
    plan->backend = plan->module->legacy_backend;
    plan->path = request->path; /* legacy keeps its own paths */
    plan->rewritten = false;
}

static char *put_text(char *at, struct strview text)
{
    memcpy(at, text.data, text.length);
    return at + text.length;
}

/* " 1873<250000" */
static char *put_bucket(char *at, uint32_t bucket, uint32_t threshold)
{
    *at = ' ';
    at = decimal_put(at + 1, bucket);
    at = put_text(at, bucket_is_extracted(bucket, threshold) ? STRVIEW("<") : STRVIEW(">="));
    return decimal_put(at, threshold);
}

static char *put_word(char *at, struct strview word)
{
    *at = ' ';
    return put_text(at + 1, word);
}

/* Without printf: the access log says it of every request. The longest has 29 bytes. */
size_t plan_reason_format(const struct plan *plan, char buffer[static PLAN_REASON_BYTES])
{
    char *at = put_text(buffer, reason_name(plan->reason));
    if (plan->reason == REASON_BUCKET)
        at = put_bucket(at, plan->bucket, plan->module->threshold);
    else if (plan->reason == REASON_STAGE)
        at = put_word(at, stage_name(plan->module->stage));
    else if (plan->reason == REASON_WRITE_OWNER)
        at = put_word(at, write_owner_name(plan->module->write_owner));
    *at = '\0';
    return (size_t)(at - buffer);
}
