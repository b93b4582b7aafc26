#include "proxy/routing/rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "proxy/routing/rewrite.h"

static bool fail(struct route_fault *fault, enum route_part part, size_t offset, const char *text)
{
    fault->part = part;
    fault->item = 0;
    fault->offset = offset;
    snprintf(fault->text, sizeof(fault->text), "%s", text);
    return false;
}

static bool byte_is_host(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* A name or "*." and a name; an IPv6 literal stands in brackets. */
static bool compile_host(struct rule *rule, struct strview host, struct arena *arena,
                         struct route_fault *fault)
{
    if (host.length == 0)
        return true;
    if (host.length > ROUTE_HOST_BYTES_MAX)
        return fail(fault, ROUTE_PART_HOST, ROUTE_HOST_BYTES_MAX, "longer than 255 bytes");
    bool wildcard = strview_starts_with(host, STRVIEW("*."));
    bool literal = host.data[0] == '[' && host.data[host.length - 1] == ']';
    size_t start = wildcard ? 2 : literal ? 1 : 0;
    size_t end = host.length - (literal ? 1 : 0);
    if (start >= end)
        return fail(fault, ROUTE_PART_HOST, 0, "a host name is missing");
    for (size_t i = start; i < end; i++) {
        bool empty_label = host.data[i] == '.' && (i == start || host.data[i - 1] == '.');
        bool good = byte_is_host(host.data[i]) || (literal && host.data[i] == ':');
        if (!good || empty_label)
            return fail(fault, ROUTE_PART_HOST, i,
                        "not a lower-case host name without port, or *. and one");
    }
    if (host.data[end - 1] == '.')
        return fail(fault, ROUTE_PART_HOST, end - 1, "a host is written without a dot at its end");
    rule->host = arena_copy(arena, host);
    return true;
}

static bool compile_path(struct rule *rule, const struct route_spec *spec, struct arena *arena,
                         struct route_fault *fault)
{
    bool exact = spec->exact.length > 0;
    struct strview text = exact ? spec->exact : spec->prefix;
    enum route_part part = exact ? ROUTE_PART_EXACT : ROUTE_PART_PREFIX;
    if (text.length == 0)
        return true;
    if (exact && spec->prefix.length > 0)
        return fail(fault, ROUTE_PART_PREFIX, 0, "a route has exact or prefix, not both");
    if (exact && spec->regex.length > 0)
        return fail(fault, ROUTE_PART_REGEX, 0, "a regex stands alone or beside a prefix");
    if (text.length > ROUTE_PATH_BYTES_MAX)
        return fail(fault, part, ROUTE_PATH_BYTES_MAX, "longer than 2048 bytes");
    if (text.data[0] != '/')
        return fail(fault, part, 0, "a path begins with '/'");
    struct strview path;
    struct strview query;
    enum path_kind kind = path_canonical(arena, text, &path, &query);
    if (kind == PATH_INVALID)
        return fail(fault, part, 0, "not a path: a space, a control character, '#' or a lone '%'");
    if (kind != PATH_CANONICAL)
        return fail(fault, part, 0, "a request for this path is refused as ambiguous");
    if (query.length > 0)
        return fail(fault, part, text.length - query.length, "a path has no query; see `query`");
    rule->path = arena_copy(arena, path);
    rule->path_match = exact ? PATH_MATCH_EXACT : PATH_MATCH_PREFIX;
    return true;
}

static bool compile_conditions(struct rule *rule, const struct route_spec *spec,
                               struct arena *arena, struct regex_list *regexes,
                               struct route_fault *fault)
{
    struct condition_builder builder = {.arena = arena, .regexes = regexes, .fault = fault};
    if (!conditions_compile(&builder, spec))
        return false;
    rule->conditions = builder.conditions;
    rule->condition_count = builder.count;
    return true;
}

static void copy_allow(struct rule *rule, const struct route_spec *spec, struct arena *arena)
{
    if (spec->allow_count == 0)
        return;
    struct cidr *allow = arena_alloc(arena, spec->allow_count * sizeof(*allow));
    memcpy(allow, spec->allow, spec->allow_count * sizeof(*allow));
    rule->route.allow = allow;
    rule->route.allow_count = spec->allow_count;
}

struct rule *rule_compile(const struct route_spec *spec, struct arena *arena,
                          struct regex_list *regexes, struct route_fault *ret_fault)
{
    struct rule *rule = arena_zalloc(arena, sizeof(*rule));
    rule->ignore_case = spec->ignore_case;
    rule->priority = spec->priority;
    rule->order = spec->order;
    rule->route = (struct route){
        .name = arena_copy(arena, spec->name),
        .module = spec->module,
        .backend = spec->backend,
        .index = spec->index,
        .treat_as_read = spec->treat_as_read,
        .treat_as_write = spec->treat_as_write,
        .websocket = spec->websocket,
        .close_after_ms = spec->close_after_ms,
        .deny_status = spec->deny_status,
        .timeouts = spec->timeouts,
    };
    copy_allow(rule, spec, arena);
    if (!compile_host(rule, spec->host, arena, ret_fault) ||
        !compile_path(rule, spec, arena, ret_fault) ||
        !compile_conditions(rule, spec, arena, regexes, ret_fault))
        return NULL;
    if (spec->rewrite_regex.length == 0)
        return rule;
    rule->route.rewrite = rewrite_compile(spec, arena, regexes, ret_fault);
    return rule->route.rewrite != NULL ? rule : NULL;
}

bool rule_matches(const struct rule *rule, const struct match_subject *subject)
{
    /* The index ignores case; the length was checked there. */
    if (!rule->ignore_case && !subject->folded && !strview_starts_with(subject->path, rule->path))
        return false;
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        enum match_result result = condition->matcher->matches(condition, subject);
        /* What cannot be decided must not open a guarded route. */
        if (result == MATCH_NO || (result == MATCH_LIMIT && !route_is_guarded(&rule->route)))
            return false;
    }
    return true;
}

int rule_compare(const struct rule *a, const struct rule *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (a->condition_count != b->condition_count)
        return a->condition_count > b->condition_count ? -1 : 1;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->route.index < b->route.index ? -1 : a->route.index > b->route.index;
}

/* Higher goes first: exact hosts, then wildcards by their length, then none. */
static size_t host_rank(const struct rule *rule)
{
    if (rule->host.length == 0)
        return 0;
    return rule->host.data[0] == '*' ? rule->host.length : SIZE_MAX;
}

/* Higher goes first: exact paths, then prefixes by their length, then regexes. */
static size_t path_rank(const struct rule *rule)
{
    return rule->path_match == PATH_MATCH_EXACT ? SIZE_MAX : rule->path.length;
}

bool rule_precedes(const struct rule *a, const struct rule *b)
{
    if (host_rank(a) != host_rank(b))
        return host_rank(a) > host_rank(b);
    if (path_rank(a) != path_rank(b))
        return path_rank(a) > path_rank(b);
    return rule_compare(a, b) < 0;
}

bool path_text_matches(enum path_match match, struct strview text, struct strview path)
{
    switch (match) {
    case PATH_MATCH_ANY:
        return true;
    case PATH_MATCH_EXACT:
        return strview_equal(text, path);
    case PATH_MATCH_PREFIX:
        return strview_starts_with(path, text) &&
               (path.length == text.length || path.data[text.length] == '/' ||
                text.data[text.length - 1] == '/');
    }
    return false;
}

int route_refusal(const struct route *route, const struct ip_address *client)
{
    if (route->deny_status != 0)
        return route->deny_status;
    bool refused =
        route->allow_count > 0 && !cidr_list_contains(route->allow, route->allow_count, client);
    return refused ? 403 : 0;
}
