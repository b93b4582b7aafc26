#include "proxy/cli/explain_print.h"

#include <jansson.h>
#include <stdlib.h>

#include "proxy/routing/bucket.h"

static int refusal_of(const struct explanation *explanation)
{
    return explanation->verdict.status != 0 ? explanation->verdict.status
                                            : explanation->plan.refuse_status;
}

static double percent_of(uint32_t threshold)
{
    return (double)threshold / BUCKETS_PER_PERCENT;
}

static const struct backend *backend_of(const struct explanation *explanation)
{
    return &explanation->snapshot->backends[explanation->plan.backend];
}

static const char *protocol_name(const struct backend *backend)
{
    return backend->protocol == BACKEND_H2 ? "h2" : "http/1.1";
}

static struct strview identity_word(const struct explanation *explanation)
{
    const struct identity_source *source = explanation->source;
    if (source == NULL)
        return STRVIEW("none");
    switch (source->kind) {
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

/* `get` is a method too, one that nobody has heard of (RFC 9110 section 9.1). */
static bool has_small_letters(struct strview text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] >= 'a' && text.data[i] <= 'z')
            return true;
    }
    return false;
}

static const char *rejection_text(const struct explanation *explanation)
{
    const struct request_head *request = explanation->request;
    if (request->method == METHOD_OTHER && explanation->verdict.status == 501 &&
        has_small_letters(request->method_text))
        return "The request method is not supported; case matters in methods.";
    if (explanation->verdict.status != 0)
        return explanation->verdict.detail;
    if (explanation->request->path_kind == PATH_AMBIGUOUS)
        return "different programs would read this path differently (ambiguous_paths = \"refuse\")";
    if (explanation->request->path_kind == PATH_INVALID)
        return "this is no valid path";
    return "the rewritten path would not be valid";
}

static const char *deny_text(const struct explanation *explanation)
{
    if (explanation->guard_by_spelling)
        return "a tolerant application could read this path as one that the route guards";
    return explanation->plan.route->deny_status != 0
               ? "the route refuses every request"
               : "the client's address is not in the route's `allow`";
}

static const char *stage_text(const struct explanation *explanation)
{
    return explanation->plan.side == SIDE_EXTRACTED
               ? "in this stage all reads go to the extracted side"
               : "in this stage all reads go to the legacy side";
}

static const char *bucket_text(const struct explanation *explanation)
{
    return explanation->plan.side == SIDE_EXTRACTED
               ? "the bucket is below the threshold: the extracted side"
               : "the bucket is not below the threshold: the legacy side";
}

static const char *write_text(const struct explanation *explanation)
{
    if (explanation->plan.module->write_owner == WRITE_OWNER_FOLLOW)
        return "writes go where the reads of the same identity go";
    return "writes go to one side, whatever the percent";
}

static const char *why(const struct explanation *explanation)
{
    switch (explanation->plan.reason) {
    case REASON_DEFAULT:
        return "no route takes this request: the default backend";
    case REASON_ROUTE:
        return "the route belongs to no module and names its backend";
    case REASON_DENY:
        return deny_text(explanation);
    case REASON_AMBIGUOUS:
        return "the path can be read in two ways: sent unchanged to the default backend";
    case REASON_STAGE:
        return stage_text(explanation);
    case REASON_RETIRED:
        return "a retired module has no legacy side";
    case REASON_BUCKET:
        return bucket_text(explanation);
    case REASON_NO_IDENTITY:
        return "no source of an identity applies to this request: the legacy side";
    case REASON_WRITE_OWNER:
        return write_text(explanation);
    case REASON_REJECTED:
        return rejection_text(explanation);
    case REASON_ABORT:
    case REASON_PIN:
    case REASON_OVERRIDE:
    case REASON_FREEZE:
    case REASON_FALLBACK:
    case REASON_COUNT:
        break;
    }
    return "decided by the state of the running proxy";
}

static void print_line(FILE *out, const char *label, struct strview text)
{
    fprintf(out, "%-10s", label);
    /* Bytes from the command line may act on a terminal. */
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        fputc(c >= 0x20 && c != 0x7f ? c : '?', out);
    }
    fputc('\n', out);
}

static void print_request(const struct explanation *explanation, struct arena *arena, FILE *out)
{
    const struct request_head *request = explanation->request;
    char client[ADDRESS_TEXT_BYTES];
    ip_format(&explanation->client, client);
    print_line(out, "request",
               arena_printf(arena, "%.*s %.*s://%.*s%.*s, from %s",
                            STRVIEW_ARGS(request->method_text), STRVIEW_ARGS(request->scheme),
                            STRVIEW_ARGS(request->authority), STRVIEW_ARGS(request->target),
                            client));
    if (request->path_kind == PATH_CANONICAL)
        print_line(out, "path",
                   arena_printf(arena, "%.*s%s", STRVIEW_ARGS(request->path),
                                strview_starts_with(request->target, request->path)
                                    ? ""
                                    : " (canonical; routes and backends see this one)"));
    else if (request->path_kind == PATH_AMBIGUOUS)
        print_line(out, "path", STRVIEW("ambiguous"));
}

static void print_route(const struct explanation *explanation, struct arena *arena, FILE *out)
{
    const struct route *route = explanation->plan.route;
    if (route == NULL) {
        print_line(out, "route", STRVIEW("none"));
        return;
    }
    uint32_t line;
    struct strview file = settings_route_place(explanation->settings, route->index, &line);
    print_line(
        out, "route",
        arena_printf(arena, "%.*s (%.*s:%u)", STRVIEW_ARGS(route->name), STRVIEW_ARGS(file), line));
}

static void print_module(const struct explanation *explanation, struct arena *arena, FILE *out)
{
    const struct module *module = explanation->plan.module;
    if (module == NULL)
        return;
    struct strview stage = stage_name(module->stage);
    struct strview owner = write_owner_name(module->write_owner);
    print_line(out, "module",
               arena_printf(arena, "%.*s, stage %.*s, %.10g %%, write_owner %.*s",
                            STRVIEW_ARGS(module->name), STRVIEW_ARGS(stage),
                            percent_of(module->threshold), STRVIEW_ARGS(owner)));
}

static struct strview missing_identity_text(const struct module *module)
{
    bool unneeded = module->stage == STAGE_LEGACY || module->stage == STAGE_RETIRED;
    return unneeded ? STRVIEW("not needed in this stage") : STRVIEW("none");
}

static void print_identity(const struct explanation *explanation, struct arena *arena, FILE *out)
{
    const struct plan *plan = &explanation->plan;
    if (plan->identity.value.length > 0) {
        struct strview word = identity_word(explanation);
        print_line(out, "identity",
                   arena_printf(arena, "%.*s (%.*s%s%.*s)", STRVIEW_ARGS(plan->identity.value),
                                STRVIEW_ARGS(word), explanation->source->name.length > 0 ? " " : "",
                                STRVIEW_ARGS(explanation->source->name)));
    } else if (plan->module != NULL) {
        print_line(out, "identity", missing_identity_text(plan->module));
    }
    if (plan->identity.assigned)
        print_line(out, "",
                   STRVIEW("a new visitor gets this cookie: another one is drawn each time"));
    if (plan->has_bucket)
        print_line(out, "bucket",
                   arena_printf(arena, "%u; below %u (%.10g %%) is the extracted side",
                                plan->bucket, plan->module->threshold,
                                percent_of(plan->module->threshold)));
}

static void print_sent(const struct explanation *explanation, struct arena *arena, FILE *out)
{
    const struct plan *plan = &explanation->plan;
    const struct request_head *request = explanation->request;
    const struct backend *backend = backend_of(explanation);
    struct strview side = side_name(plan->side);
    if (plan->module != NULL)
        print_line(out, "side", side);
    const struct endpoint_set *set = backend_endpoints(backend);
    print_line(out, "backend",
               arena_printf(arena, "%.*s (%s, %.*s%s)", STRVIEW_ARGS(backend->name),
                            protocol_name(backend), STRVIEW_ARGS(set->slots[0].state->address_text),
                            set->count > 1 ? ", …" : ""));
    print_line(out, "sends",
               arena_printf(arena, "%.*s %.*s%.*s%s", STRVIEW_ARGS(request->method_text),
                            STRVIEW_ARGS(plan->path), STRVIEW_ARGS(request->query),
                            plan->rewritten ? " (rewritten)" : ""));
}

void explain_print(const struct explanation *explanation, FILE *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    char reason[PLAN_REASON_BYTES];
    plan_reason_format(&explanation->plan, reason);
    int refusal = refusal_of(explanation);
    print_request(explanation, &arena, out);
    if (explanation->verdict.status == 0) {
        print_route(explanation, &arena, out);
        print_module(explanation, &arena, out);
    }
    print_line(out, "kind", explanation->plan.is_write ? STRVIEW("write") : STRVIEW("read"));
    if (refusal == 0) {
        print_identity(explanation, &arena, out);
        print_sent(explanation, &arena, out);
    } else {
        print_line(out, "answers", arena_printf(&arena, "%d, from the proxy itself", refusal));
    }
    print_line(out, "reason", strview_of(reason));
    print_line(out, "why", strview_of(why(explanation)));
    fputs("\nFrom the files alone: whether a change of write owner is under way or has failed is "
          "not seen.\n",
          out);
    arena_done(&arena);
}

/* Bytes that are no UTF-8 become null. */
static json_t *json_text(struct strview text)
{
    json_t *value = json_stringn(text.data != NULL ? text.data : "", text.length);
    return value != NULL ? value : json_null();
}

static json_t *json_request(const struct explanation *explanation)
{
    const struct request_head *request = explanation->request;
    char client[ADDRESS_TEXT_BYTES];
    ip_format(&explanation->client, client);
    return json_pack("{s:o, s:o, s:o, s:o, s:s}", "method", json_text(request->method_text),
                     "scheme", json_text(request->scheme), "authority",
                     json_text(request->authority), "target", json_text(request->target), "client",
                     client);
}

static json_t *json_route(const struct explanation *explanation)
{
    const struct route *route = explanation->plan.route;
    if (route == NULL)
        return json_null();
    uint32_t line;
    struct strview file = settings_route_place(explanation->settings, route->index, &line);
    return json_pack("{s:o, s:o, s:i}", "name", json_text(route->name), "file", json_text(file),
                     "line", (int)line);
}

static json_t *json_module(const struct module *module)
{
    if (module == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:f, s:i, s:o, s:o}", "name", json_text(module->name), "stage",
                     json_text(stage_name(module->stage)), "percent", percent_of(module->threshold),
                     "threshold", (int)module->threshold, "cohort", json_text(module->cohort),
                     "write_owner", json_text(write_owner_name(module->write_owner)));
}

static json_t *json_identity(const struct explanation *explanation)
{
    const struct identity *identity = &explanation->plan.identity;
    if (identity->value.length == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:b}", "value", json_text(identity->value), "source",
                     json_text(identity_word(explanation)), "name",
                     json_text(explanation->source->name), "assigned", (int)identity->assigned);
}

static void json_add_sent(json_t *object, const struct explanation *explanation)
{
    const struct plan *plan = &explanation->plan;
    json_object_set_new(object, "side", json_text(side_name(plan->side)));
    json_object_set_new(object, "backend", json_text(backend_of(explanation)->name));
    json_object_set_new(object, "sent_path", json_text(plan->path));
    json_object_set_new(object, "rewritten", json_boolean(plan->rewritten));
}

void explain_print_json(const struct explanation *explanation, FILE *out)
{
    const struct plan *plan = &explanation->plan;
    char reason[PLAN_REASON_BYTES];
    plan_reason_format(plan, reason);
    int refusal = refusal_of(explanation);
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o, s:s}", "request", json_request(explanation), "path",
                  json_text(explanation->request->path), "route", json_route(explanation), "module",
                  json_module(plan->module), "kind", plan->is_write ? "write" : "read");
    json_object_set_new(object, "identity", json_identity(explanation));
    json_object_set_new(object, "bucket",
                        plan->has_bucket ? json_integer(plan->bucket) : json_null());
    json_object_set_new(object, "status", refusal != 0 ? json_integer(refusal) : json_null());
    if (refusal == 0)
        json_add_sent(object, explanation);
    json_object_set_new(object, "reason", json_string(reason));
    json_object_set_new(object, "why", json_string(why(explanation)));
    json_dumpf(object, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(object);
}
