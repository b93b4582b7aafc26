/* What people want to know about each route: where it stands, and what it takes, in few words. */
#include "proxy/config/snapshot_build.h"

/* Appends with a blank between words. */
static void add_word(struct arena *arena, struct strview *line, struct strview word)
{
    if (word.length == 0)
        return;
    *line = arena_printf(arena, "%.*s%s%.*s", STRVIEW_ARGS(*line), line->length > 0 ? " " : "",
                         STRVIEW_ARGS(word));
}

static void add_path(struct arena *arena, struct strview *line, const struct route_settings *route)
{
    struct strview prefix = route->prefix.text;
    bool has_slash = prefix.length > 0 && prefix.data[prefix.length - 1] == '/';
    add_word(arena, line, route->exact.text);
    if (prefix.length > 0)
        add_word(arena, line,
                 arena_printf(arena, "%.*s%s…", STRVIEW_ARGS(prefix), has_slash ? "" : "/"));
    if (route->regex.text.length > 0)
        add_word(arena, line, arena_printf(arena, "~%.*s", STRVIEW_ARGS(route->regex.text)));
    if (route->ignore_case.value != 0)
        add_word(arena, line, STRVIEW("(any case)"));
}

static struct strview takes_of(struct arena *arena, const struct route_settings *route)
{
    struct strview line = STRVIEW_NONE;
    add_word(arena, &line, route->host.text);
    add_path(arena, &line, route);
    for (int method = 0; method < METHOD_COUNT; method++) {
        if (((uint32_t)route->methods.value & 1u << method) != 0)
            add_word(arena, &line, http_method_name((enum http_method)method));
    }
    size_t more = route->headers.count + route->query.count + route->cookies.count;
    if (more > 0)
        add_word(arena, &line, arena_printf(arena, "+%zu condition%s", more, more == 1 ? "" : "s"));
    return line.length > 0 ? line : STRVIEW("everything");
}

void snapshot_build_places(struct snapshot *snapshot, const struct settings *settings)
{
    struct strview file = STRVIEW_NONE; /* routes of one file share its name */
    snapshot->route_places =
        snapshot_array(snapshot, snapshot->route_count, sizeof(*snapshot->route_places));
    for (uint32_t i = 0; i < snapshot->route_count; i++) {
        const struct route_settings *route = &settings->routes.items[i];
        struct source_span span = source_name_span(route->node);
        if (!strview_equal(file, span.source->path))
            file = arena_copy(&snapshot->arena, span.source->path);
        snapshot->route_places[i] = (struct route_place){
            .file = file,
            .line = source_line(span.source, span.offset),
            .takes = takes_of(&snapshot->arena, route),
            .backend = arena_copy(&snapshot->arena, route->backend.text),
            .deny_status = (int)route->deny.value,
        };
    }
}
