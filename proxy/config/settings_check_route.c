#include "proxy/config/settings_check.h"

/* One of exact, prefix and regex; a regex may stand beside a prefix. */
static void check_path(const struct route_settings *route, struct config_report *report)
{
    const struct source_node *exact = route->exact.node;
    const struct source_node *prefix = route->prefix.node;
    const struct source_node *regex = route->regex.node;
    if (exact == NULL && prefix == NULL && regex == NULL) {
        source_error(report, "path-condition", source_name_span(route->node),
                     "which paths? a route needs `exact`, `prefix` or `regex`");
        config_report_hint(report, "prefix = \"/\"; takes every path");
    } else if (exact != NULL && (prefix != NULL || regex != NULL)) {
        const struct source_node *other = prefix != NULL ? prefix : regex;
        source_error(report, "path-condition", source_name_span(other),
                     "`%.*s` cannot stand beside `exact`", STRVIEW_ARGS(other->name));
    } else if (exact == NULL && prefix == NULL && route->regex.text.length > 0) {
        source_warning(report, "regex-without-prefix", source_name_span(regex),
                       "a regex without `prefix` is tried on every request that no other route "
                       "takes");
        config_report_hint(report, "add the part of the path that is always the same as `prefix`");
    }
}

static void check_destination(struct settings *settings, const struct route_settings *route,
                              struct config_report *report)
{
    if (route->module != ROUTE_NO_MODULE)
        return;
    settings_use_backend(settings, &route->backend, report);
    if (route->allow.node != NULL && route->allow.node->child_count == 0)
        source_error(report, "empty-list", source_value_span(route->allow.node),
                     "`allow` needs at least one address block");
    if (route->deny.node != NULL) {
        const struct source_node *other =
            route->backend.node != NULL ? route->backend.node : route->allow.node;
        if (other != NULL)
            source_error(report, "conflicting-keys", source_name_span(other),
                         "`%.*s` has no meaning beside `deny`, which refuses every request",
                         STRVIEW_ARGS(other->name));
    } else if (route->backend.node == NULL) {
        source_error(report, "missing-key", source_name_span(route->node),
                     "a route outside modules needs a `backend`, or a status to `deny` with");
        config_report_hint(report, "for example: backend = \"monolith\"; or deny = 403;");
    }
}

static bool speaks_http2(const struct settings *settings, const struct text_setting *name)
{
    int64_t index = name_index_find(&settings->backends.names, name->text);
    return name->text.length > 0 && index != NAME_INDEX_NONE &&
           settings->backends.items[index].protocol.value == BACKEND_H2;
}

static void warn_unused(const struct source_node *node, const char *needs,
                        struct config_report *report)
{
    if (node != NULL)
        source_warning(report, "websocket-unused", source_name_span(node),
                       "`%.*s` means nothing without `%s`", STRVIEW_ARGS(node->name), needs);
}

static void check_on_change(const struct route_settings *route, struct config_report *report)
{
    if (!route->websocket.value)
        warn_unused(route->on_change.node, "websocket = true", report);
    if (route->on_change.value != ON_CHANGE_CLOSE_AFTER)
        warn_unused(route->close_after.node, "on_change = \"close_after\"", report);
}

/* Tunnels begin with an Upgrade, which HTTP/2 does not have. */
static void check_websocket(const struct settings *settings, const struct route_settings *route,
                            struct config_report *report)
{
    if (!route->websocket.value)
        return;
    const struct text_setting *names[2] = {&route->backend, &route->backend};
    if (route->module != ROUTE_NO_MODULE) {
        names[0] = &settings->modules.items[route->module].legacy;
        names[1] = &settings->modules.items[route->module].extracted;
    }
    const struct text_setting *name = speaks_http2(settings, names[0])   ? names[0]
                                      : speaks_http2(settings, names[1]) ? names[1]
                                                                         : NULL;
    if (name == NULL)
        return;
    source_warning(report, "websocket-h2", source_name_span(route->websocket.node),
                   "the backend `%.*s` speaks h2, and is not asked for WebSockets",
                   STRVIEW_ARGS(name->text));
    config_report_hint(report, "a backend of protocol \"http/1.1\" can take them");
}

void settings_check_route(struct settings *settings, struct route_settings *route,
                          struct config_report *report)
{
    check_path(route, report);
    check_destination(settings, route, report);
    if (route->treat_as_read.value && route->treat_as_write.value)
        source_error(report, "conflicting-keys", source_name_span(route->treat_as_write.node),
                     "`treat_as_read` and `treat_as_write` cannot both be true");
    check_websocket(settings, route, report);
    check_on_change(route, report);
}
