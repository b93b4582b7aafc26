/*
 * Routing. The first byte says what the rest is: a request target; recipes that disguise a denied
 * path, which has to stay denied; or the texts of a route to compile.
 */
#include "tests/fuzz/fuzz.h"

#include "proxy/core/check.h"
#include "proxy/routing/plan.h"

enum { MONOLITH, USERS, DENIED = 403, DISGUISED_BYTES = 4096 };

static const uint8_t random_bytes[IDENTITY_RANDOM_BYTES] = {1, 2, 3};
static const struct identity_source identity[] = {{.kind = IDENTITY_ASSIGN},
                                                  {.kind = IDENTITY_ADDRESS}};

/* Made once and kept: what is searched is lookup, not compilation. */
static struct {
    struct match_scratch *scratch;
    struct module_table *modules;
    struct route_table *routes;
    struct plan_rules rules;
} world;

static void world_add(struct route_table_builder *builder, struct route_spec spec, int64_t module)
{
    struct route_fault fault;
    spec.module = module;
    spec.backend = ROUTE_NO_BACKEND;
    CHECK(route_table_builder_add(builder, &spec, &fault));
}

static void world_init(void)
{
    struct route_table_builder *builder = route_table_builder_new();
    world_add(builder,
              (struct route_spec){
                  .name = STRVIEW("api"), .prefix = STRVIEW("/api/users"), .ignore_case = true},
              0);
    world_add(builder,
              (struct route_spec){.name = STRVIEW("page"),
                                  .prefix = STRVIEW("/u"),
                                  .regex = STRVIEW("^/u/([0-9]+)$"),
                                  .rewrite_regex = STRVIEW("^/u/(.*)"),
                                  .rewrite_path = STRVIEW("/users/$1")},
              0);
    world_add(builder,
              (struct route_spec){.name = STRVIEW("image"),
                                  .host = STRVIEW("*.org"),
                                  .regex = STRVIEW("\\.(png|jpe?g)$")},
              ROUTE_NO_MODULE);
    world_add(builder,
              (struct route_spec){.name = STRVIEW("internal"),
                                  .prefix = STRVIEW("/internal"),
                                  .deny_status = DENIED},
              ROUTE_NO_MODULE);
    world_add(builder,
              (struct route_spec){
                  .name = STRVIEW("secret"), .prefix = STRVIEW("/x/Secret"), .deny_status = DENIED},
              ROUTE_NO_MODULE);
    world.scratch = match_scratch_new();
    world.routes = route_table_build_take(builder);
    world.modules = module_table_new(1);
    world.modules->modules[0] = (struct module){.name = STRVIEW("users"),
                                                .cohort = STRVIEW("users"),
                                                .stage = STAGE_LIVE,
                                                .legacy_backend = MONOLITH,
                                                .extracted_backend = USERS};
    world.rules = (struct plan_rules){.routes = world.routes,
                                      .modules = world.modules,
                                      .identity = identity,
                                      .identity_count = 2,
                                      .default_backend = MONOLITH};
}

static struct plan plan(struct arena *arena, struct strview target, enum ambiguous_paths ambiguous,
                        struct request_head *ret_request)
{
    struct plan result;
    struct plan_facts facts = {.client = {{1, 2, 3}}, .random = random_bytes};
    *ret_request = (struct request_head){.authority = STRVIEW("a.org"), .target = target};
    ret_request->path_kind = path_canonical(arena, target, &ret_request->path, &ret_request->query);
    world.rules.ambiguous_paths = ambiguous;
    plan_request(&world.rules, ret_request, &facts, arena, world.scratch, &result);
    return result;
}

/* Is `path`, as some reader has it, `guarded` or below it? */
static bool is_below(struct strview path, struct strview guarded)
{
    return strview_starts_with(path, guarded) &&
           (path.length == guarded.length || path.data[guarded.length] == '/');
}

static bool leads_to_guard(struct arena *arena, struct strview path)
{
    struct strview forms[] = {path_folded(arena, path), path_folded_literal(arena, path)};
    for (size_t i = 0; i < 2; i++) {
        if (is_below(forms[i], STRVIEW("/internal")) || is_below(forms[i], STRVIEW("/x/secret")))
            return true;
    }
    return false;
}

static void check_target(struct arena *arena, struct strview target, enum ambiguous_paths ambiguous)
{
    struct request_head request;
    struct plan made = plan(arena, target, ambiguous, &request);
    char reason[PLAN_REASON_BYTES];
    CHECK(plan_reason_format(&made, reason) == strlen(reason));
    if (made.refuse_status != 0)
        return;
    CHECK(made.backend == MONOLITH || made.backend == USERS);
    CHECK(request.path_kind != PATH_INVALID);
    /* The image route names a host, so it precedes the guards, as its author wants. */
    bool is_image = made.route != NULL && strview_equal(made.route->name, STRVIEW("image"));
    CHECK(is_image || !leads_to_guard(arena, request.path));
    if (made.backend != USERS)
        return;
    struct strview path;
    struct strview query;
    CHECK(path_canonical(arena, made.path, &path, &query) == PATH_CANONICAL);
    CHECK(strview_equal(path, made.path) && query.length == 0);
}

struct disguise {
    const uint8_t *recipe;
    size_t left;
    size_t used;
    char text[DISGUISED_BYTES];
};

static unsigned take(struct disguise *disguise, unsigned bound)
{
    if (disguise->left == 0)
        return 0;
    disguise->left--;
    return *disguise->recipe++ % bound;
}

static void put(struct disguise *disguise, struct strview text)
{
    CHECK(disguise->used + text.length <= sizeof(disguise->text));
    memcpy(disguise->text + disguise->used, text.data, text.length);
    disguise->used += text.length;
}

/* A byte encoded up to `times` times over: %69, %2569, … */
static void put_encoded(struct disguise *disguise, char c, unsigned times)
{
    static const char digits[] = "0123456789aBcDeF";
    put(disguise, STRVIEW("%"));
    for (unsigned i = 1; i < times; i++)
        put(disguise, STRVIEW("25"));
    char hex[2] = {digits[(unsigned char)c >> 4], digits[c & 15]};
    put(disguise, strview_make(hex, 2));
}

static void put_letter(struct disguise *disguise, char c)
{
    char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    unsigned way = take(disguise, 8);
    if (way < 3)
        put(disguise, strview_make(&c, 1));
    else if (way < 5)
        put(disguise, strview_make(&upper, 1));
    else
        put_encoded(disguise, way == 7 ? upper : c, way - 4);
}

/* The end of one segment and the slash after it. */
static void put_separator(struct disguise *disguise)
{
    static const struct strview separators[] = {
        {"/", 1},      {"//", 2},      {"/./", 3},           {"\\", 1},    {"%2f", 3},
        {"%5C", 3},    {"%252F", 5},   {"/;a/", 4},          {";v=1/", 5}, {";;;//", 5},
        {"/z/../", 6}, {"/z/..;/", 7}, {"/z/%252e%2e/", 12}, {"%00/", 4},  {"%3fq/", 5},
    };
    put(disguise, separators[take(disguise, sizeof(separators) / sizeof(separators[0]))]);
}

static void check_disguise(struct arena *arena, const uint8_t *recipe, size_t size,
                           enum ambiguous_paths ambiguous)
{
    struct disguise disguise = {.recipe = recipe, .left = size};
    struct strview plain = take(&disguise, 2) == 0 ? STRVIEW("/internal/x") : STRVIEW("/x/secret");
    put(&disguise, STRVIEW("/"));
    if (take(&disguise, 2) == 1)
        put_separator(&disguise);
    for (size_t i = 1; i < plain.length; i++) {
        if (plain.data[i] == '/')
            put_separator(&disguise);
        else
            put_letter(&disguise, plain.data[i]);
    }
    if (take(&disguise, 2) == 1)
        put_separator(&disguise);
    struct request_head request;
    struct strview target = strview_make(disguise.text, disguise.used);
    CHECK(plan(arena, target, ambiguous, &request).refuse_status != 0);
}

static struct strview take_text(const uint8_t **data, size_t *left)
{
    const uint8_t *end = *left > 0 ? memchr(*data, '\n', *left) : NULL;
    size_t length = end != NULL ? (size_t)(end - *data) : *left;
    struct strview text = strview_make((const char *)*data, length);
    *data += length + (end != NULL ? 1 : 0);
    *left -= length + (end != NULL ? 1 : 0);
    return text;
}

/* host, prefix, regex, rewrite regex, rewrite path, header test, then a target; a line each. */
static void check_compile(struct arena *arena, const uint8_t *data, size_t size, bool guard)
{
    struct route_table_builder *builder = route_table_builder_new();
    struct route_spec spec = {.module = ROUTE_NO_MODULE, .backend = ROUTE_NO_BACKEND};
    struct route_fault fault = {.text = ""};
    spec.host = take_text(&data, &size);
    spec.prefix = take_text(&data, &size);
    spec.regex = take_text(&data, &size);
    spec.rewrite_regex = take_text(&data, &size);
    spec.rewrite_path = take_text(&data, &size);
    struct value_test test = {TEST_REGEX, STRVIEW("a"), take_text(&data, &size)};
    spec.query = (struct value_test_list){&test, test.value.length > 0 ? 1 : 0};
    spec.deny_status = guard ? DENIED : 0;
    struct route_conflict conflicts[2];
    if (route_table_builder_add(builder, &spec, &fault) &&
        route_table_builder_add(builder, &spec, &fault)) {
        CHECK(route_table_builder_conflicts(builder, conflicts, 2) == 1 &&
              conflicts[0].kind == ROUTE_IDENTICAL);
    } else {
        CHECK(fault.text[0] != '\0');
    }
    struct route_table *table = route_table_build_take(builder);
    struct plan_rules rules = world.rules;
    rules.routes = table;
    struct request_head request = {.authority = spec.host, .target = take_text(&data, &size)};
    request.path_kind = path_canonical(arena, request.target, &request.path, &request.query);
    struct plan_facts facts = {.random = random_bytes};
    struct plan made;
    plan_request(&rules, &request, &facts, arena, world.scratch, &made);
    CHECK(made.refuse_status != 0 || made.backend == MONOLITH);
    route_table_unref(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.routes == NULL)
        world_init();
    if (size == 0)
        return 0;
    struct arena arena;
    arena_init(&arena, NULL);
    enum ambiguous_paths ambiguous =
        (data[0] & 4) != 0 ? AMBIGUOUS_PATHS_LEGACY : AMBIGUOUS_PATHS_REFUSE;
    switch (data[0] & 3) {
    case 0:
        check_target(&arena, strview_make((const char *)data + 1, size - 1), ambiguous);
        break;
    case 1:
        check_disguise(&arena, data + 1, size - 1, ambiguous);
        break;
    default:
        check_compile(&arena, data + 1, size - 1, (data[0] & 1) != 0);
        break;
    }
    arena_done(&arena);
    return 0;
}
