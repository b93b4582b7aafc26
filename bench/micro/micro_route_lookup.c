/*
 * micro_route_lookup [--routes N] [--regexes N] [--lookups M]: a table of N prefix routes out of
 * 10 000 realistic ones, and of regex routes behind distinct literals; M lookups on it.
 */
#include "bench/micro/stopwatch.h"
#include "proxy/core/check.h"
#include "proxy/routing/route_table.h"

enum {
    AREAS = 10,
    RESOURCES = 40,
    PARTS = 25,
    ROUTES_MAX = AREAS * RESOURCES * PARTS,
    REQUESTS = 256
};

static const char *const areas[AREAS] = {"api/v1", "api/v2", "forum", "shop",    "account",
                                         "admin",  "media",  "help",  "partner", "mobile/v3"};

static const char *const resources[RESOURCES] = {
    "users",    "threads",  "posts",    "comments", "likes",     "sessions", "orders",  "carts",
    "products", "prices",   "invoices", "payments", "refunds",   "images",   "videos",  "albums",
    "tags",     "search",   "messages", "inbox",    "groups",    "events",   "tickets", "reports",
    "webhooks", "tokens",   "devices",  "stores",   "addresses", "reviews",  "ratings", "coupons",
    "vendors",  "shipping", "returns",  "audits",   "exports",   "imports",  "feeds",   "friends"};

static const char *const parts[PARTS] = {"list",     "recent",  "popular", "archive",  "drafts",
                                         "settings", "history", "stats",   "bulk",     "preview",
                                         "public",   "private", "shared",  "pending",  "approved",
                                         "rejected", "by-date", "by-user", "by-name",  "totals",
                                         "changes",  "export",  "import",  "watchers", "members"};

struct bench {
    struct arena arena;
    struct route_table *table;
    struct match_scratch *scratch;
    struct request_head requests[REQUESTS];
};

/* Path `number` of `count` out of all, evenly spread. */
static struct strview route_path(struct arena *arena, uint64_t number, uint64_t count)
{
    uint64_t place = number * ROUTES_MAX / count;
    return arena_printf(arena, "/%s/%s/%s", areas[place / (RESOURCES * PARTS)],
                        resources[place / PARTS % RESOURCES], parts[place % PARTS]);
}

static void add(struct route_table_builder *builder, struct route_spec spec)
{
    struct route_fault fault;
    spec.module = ROUTE_NO_MODULE;
    spec.backend = ROUTE_NO_BACKEND;
    CHECK(route_table_builder_add(builder, &spec, &fault));
}

static void build(struct bench *bench, uint64_t routes, uint64_t regexes)
{
    struct route_table_builder *builder = route_table_builder_new();
    for (uint64_t i = 0; i < routes; i++)
        add(builder, (struct route_spec){.prefix = route_path(&bench->arena, i, routes),
                                         .order = (uint32_t)i});
    for (uint64_t i = 0; i < regexes; i++)
        add(builder,
            (struct route_spec){.regex = arena_printf(&bench->arena, "^/legacy-%d/[0-9]+$", (int)i),
                                .order = (uint32_t)(routes + i)});
    bench->table = route_table_build_take(builder);
}

/* Most requests are below a route, one of eight is below none. */
static void make_requests(struct bench *bench, uint64_t routes, uint64_t regexes)
{
    for (uint64_t i = 0; i < REQUESTS; i++) {
        struct strview base = i % 8 == 7 || routes == 0
                                  ? STRVIEW("/api/v1/nowhere/recent")
                                  : route_path(&bench->arena, i * 2654435761u % routes, routes);
        struct strview target =
            regexes > 0 ? arena_printf(&bench->arena, "/legacy-%d/12345", (int)(i % regexes))
                        : arena_printf(&bench->arena, "%.*s/12345", STRVIEW_ARGS(base));
        struct request_head *request = &bench->requests[i];
        *request = (struct request_head){.authority = STRVIEW("www.example.org"), .target = target};
        request->path_kind = path_canonical(&bench->arena, target, &request->path, &request->query);
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    uint64_t routes = argument_number(argc, argv, "--routes", ROUTES_MAX);
    uint64_t regexes = argument_number(argc, argv, "--regexes", 0);
    uint64_t lookups = argument_number(argc, argv, "--lookups", 10000000);
    CHECK(routes <= ROUTES_MAX);
    arena_init(&bench.arena, NULL);
    bench.scratch = match_scratch_new();
    build(&bench, routes, regexes);
    make_requests(&bench, routes, regexes);
    uint64_t found = 0;
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < lookups; i++)
        found += route_table_find(bench.table, &bench.requests[i % REQUESTS], bench.scratch) != NULL
                     ? 1
                     : 0;
    report("lookup", start, lookups, found);
    route_table_unref(bench.table);
    match_scratch_free(bench.scratch);
    arena_done(&bench.arena);
    return 0;
}
