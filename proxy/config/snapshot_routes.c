#include "proxy/config/snapshot_build.h"

enum { CONFLICTS_MAX = 32 };

static struct value_test_list tests_of(const struct test_list_setting *list)
{
    return (struct value_test_list){list->items, list->count};
}

/* NULL when the route sets none, so that the backend's are used as they are. */
static const struct timeouts *timeouts_of(struct snapshot *snapshot,
                                          const struct timeout_settings *settings)
{
    if (settings->node == NULL)
        return NULL;
    struct timeouts *timeouts = arena_zalloc(&snapshot->arena, sizeof(*timeouts));
    *timeouts = (struct timeouts){
        .connect_ms = settings->connect.value,
        .first_byte_ms = settings->first_byte.value,
        .idle_ms = settings->idle.value,
        .total_ms = settings->total.value,
        .keep_alive_ms = TIMEOUT_UNSET,
    };
    return timeouts;
}

static struct route_spec spec_of(struct snapshot *snapshot, const struct settings *settings,
                                 const struct route_settings *route, uint32_t index)
{
    int64_t backend = ROUTE_NO_BACKEND;
    if (route->backend.text.length > 0)
        backend = name_index_find(&settings->backends.names, route->backend.text);
    return (struct route_spec){
        .name = route->node->name,
        .host = route->host.text,
        .exact = route->exact.text,
        .prefix = route->prefix.text,
        .regex = route->regex.text,
        .methods = (uint32_t)route->methods.value,
        .headers = tests_of(&route->headers),
        .query = tests_of(&route->query),
        .cookies = tests_of(&route->cookies),
        .ignore_case = route->ignore_case.value != 0,
        .priority = (int)route->priority.value,
        .rewrite_regex = route->rewrite.regex.text,
        .rewrite_path = route->rewrite.path.text,
        .treat_as_read = route->treat_as_read.value != 0,
        .treat_as_write = route->treat_as_write.value != 0,
        .websocket = route->websocket.value != 0,
        .close_after_ms = route->on_change.value == ON_CHANGE_CLOSE_AFTER
                              ? (uint64_t)route->close_after.value
                              : 0,
        .module = route->module,
        .backend = backend,
        .allow = route->allow.items,
        .allow_count = route->allow.count,
        .deny_status = (int)route->deny.value,
        .order = index,
        .index = index,
        .timeouts = timeouts_of(snapshot, &route->timeouts),
    };
}

/* The byte of a condition's regex in the source: behind the name and "=~". */
static struct source_span test_span(const struct test_list_setting *list,
                                    const struct route_fault *fault)
{
    const struct source_node *node = list->nodes[fault->item];
    const struct value_test *test = &list->items[fault->item];
    size_t start = test->name.length + (test->kind == TEST_REGEX ? 2 : 1);
    return source_text_span(node, start + fault->offset);
}

static struct source_span fault_span(const struct route_settings *route,
                                     const struct route_fault *fault)
{
    switch (fault->part) {
    case ROUTE_PART_HOST:
        return source_value_span(route->host.node);
    case ROUTE_PART_EXACT:
        return source_text_span(route->exact.node, fault->offset);
    case ROUTE_PART_PREFIX:
        return source_text_span(route->prefix.node, fault->offset);
    case ROUTE_PART_REGEX:
        return source_text_span(route->regex.node, fault->offset);
    case ROUTE_PART_HEADERS:
        return test_span(&route->headers, fault);
    case ROUTE_PART_QUERY:
        return test_span(&route->query, fault);
    case ROUTE_PART_COOKIES:
        return test_span(&route->cookies, fault);
    case ROUTE_PART_REWRITE_REGEX:
        return source_text_span(route->rewrite.regex.node, fault->offset);
    case ROUTE_PART_REWRITE_PATH:
        return source_text_span(route->rewrite.path.node, fault->offset);
    }
    return source_name_span(route->node);
}

static const char *fault_code(enum route_part part)
{
    switch (part) {
    case ROUTE_PART_HOST:
        return "bad-host";
    case ROUTE_PART_EXACT:
    case ROUTE_PART_PREFIX:
        return "bad-path";
    case ROUTE_PART_REGEX:
    case ROUTE_PART_HEADERS:
    case ROUTE_PART_QUERY:
    case ROUTE_PART_COOKIES:
    case ROUTE_PART_REWRITE_REGEX:
        return "bad-regex";
    case ROUTE_PART_REWRITE_PATH:
        return "bad-rewrite";
    }
    return "bad-value";
}

static bool add_routes(struct snapshot *snapshot, const struct settings *settings,
                       struct route_table_builder *builder, struct config_report *report)
{
    bool complete = true;
    for (uint32_t i = 0; i < snapshot->route_count; i++) {
        const struct route_settings *route = &settings->routes.items[i];
        if (route->exact.text.length > 0 && route->prefix.text.length > 0) {
            complete = false; /* reported by the check of the route */
            continue;
        }
        struct route_spec spec = spec_of(snapshot, settings, route, i);
        struct route_fault fault;
        if (route_table_builder_add(builder, &spec, &fault))
            continue;
        source_error(report, fault_code(fault.part), fault_span(route, &fault), "%s", fault.text);
        complete = false;
    }
    return complete;
}

static void report_conflict(const struct settings *settings, const struct route_conflict *conflict,
                            struct arena *arena, struct config_report *report)
{
    const struct route_settings *route = &settings->routes.items[conflict->second];
    const struct source_node *first = settings->routes.items[conflict->first].node;
    const struct source_node *second = route->node;
    struct strview place = source_place(arena, source_name_span(first));
    switch (conflict->kind) {
    case ROUTE_IDENTICAL:
        source_error(report, "identical-routes", source_name_span(second),
                     "`%.*s` has the same conditions as `%.*s` (%.*s), so it would never be used",
                     STRVIEW_ARGS(second->name), STRVIEW_ARGS(first->name), STRVIEW_ARGS(place));
        break;
    case ROUTE_UNREACHABLE:
        source_warning(report, "unreachable-route", source_name_span(second),
                       "`%.*s` is never used: `%.*s` (%.*s) goes first and takes all of it",
                       STRVIEW_ARGS(second->name), STRVIEW_ARGS(first->name), STRVIEW_ARGS(place));
        config_report_hint(report, route->prefix.node == NULL && route->exact.node == NULL
                                       ? "a regex comes after every prefix; give it one beside it"
                                       : "give it a higher `priority`");
        break;
    case ROUTE_TIE:
        source_warning(report, "route-tie", source_name_span(second),
                       "some requests match both `%.*s` and `%.*s` (%.*s); the first in the files "
                       "wins",
                       STRVIEW_ARGS(second->name), STRVIEW_ARGS(first->name), STRVIEW_ARGS(place));
        config_report_hint(report, "give one of them a `priority`");
        break;
    }
}

/* Of two that are alike the second in the files is at fault. */
static void put_in_order(struct route_conflict *conflict)
{
    if (conflict->kind == ROUTE_UNREACHABLE || conflict->first < conflict->second)
        return;
    uint32_t second = conflict->first;
    conflict->first = conflict->second;
    conflict->second = second;
}

static bool check_conflicts(struct snapshot *snapshot, const struct settings *settings,
                            struct route_table_builder *builder, struct config_report *report)
{
    struct route_conflict conflicts[CONFLICTS_MAX];
    size_t count = route_table_builder_conflicts(builder, conflicts, CONFLICTS_MAX);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        put_in_order(&conflicts[i]);
        report_conflict(settings, &conflicts[i], &snapshot->arena, report);
        good = good && conflicts[i].kind != ROUTE_IDENTICAL;
    }
    return good;
}

static void fill_infos(struct snapshot *snapshot, const struct settings *settings)
{
    snapshot->route_infos =
        snapshot_array(snapshot, snapshot->route_count, sizeof(*snapshot->route_infos));
    for (uint32_t i = 0; i < snapshot->route_count; i++) {
        const struct route_settings *route = &settings->routes.items[i];
        struct route_info *info = &snapshot->route_infos[i];
        info->name = arena_copy(&snapshot->arena, route->node->name);
        if (route->module != ROUTE_NO_MODULE)
            info->module = snapshot->modules->modules[route->module].name;
    }
}

struct route_table_builder *snapshot_compile_routes(struct snapshot *snapshot,
                                                    const struct settings *settings,
                                                    struct config_report *report)
{
    struct route_table_builder *builder = route_table_builder_new();
    snapshot->route_count = (uint32_t)settings->routes.count;
    if (add_routes(snapshot, settings, builder, report) &&
        check_conflicts(snapshot, settings, builder, report))
        return builder;
    route_table_builder_free(builder);
    return NULL;
}

bool snapshot_build_routes(struct snapshot *snapshot, const struct settings *settings,
                           struct config_report *report)
{
    struct route_table_builder *builder = snapshot_compile_routes(snapshot, settings, report);
    if (builder == NULL)
        return false;
    fill_infos(snapshot, settings);
    snapshot_build_places(snapshot, settings);
    snapshot->routes = route_table_build_take(builder);
    return true;
}
