#include "proxy/routing/route_index.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* A rule and where it goes, while an index is built. */
struct entry {
    struct strview host; /* reversed; a wildcard ends with '.'; empty: any host */
    struct strview path; /* lower case; empty: any path */
    const struct rule *rule;
};

struct entries {
    struct arena *arena;
    struct entry *items;
    const struct rule **rules; /* the same rules in the same order */
};

static struct strview reversed_host(struct strview host, struct arena *arena)
{
    if (host.length > 0 && host.data[0] == '*')
        host = strview_from(host, 1);
    char *bytes = arena_alloc(arena, host.length + 1);
    for (size_t i = 0; i < host.length; i++)
        bytes[i] = host.data[host.length - 1 - i];
    return strview_make(bytes, host.length);
}

static struct strview lower_path(struct strview path, struct arena *arena)
{
    char *bytes = arena_alloc(arena, path.length + 1);
    for (size_t i = 0; i < path.length; i++)
        bytes[i] = ascii_lower(path.data[i]);
    return strview_make(bytes, path.length);
}

static struct strview entry_path(const struct rule *rule, bool folded, struct arena *arena)
{
    if (rule->path_match == PATH_MATCH_ANY)
        return STRVIEW_NONE;
    return folded ? path_folded(arena, rule->path) : lower_path(rule->path, arena);
}

/* By host, path, exact before prefix, precedence. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = strview_compare(a->host, b->host);
    if (order == 0)
        order = strview_compare(a->path, b->path);
    if (order == 0)
        order = (int)a->rule->path_match - (int)b->rule->path_match;
    return order != 0 ? order : rule_compare(a->rule, b->rule);
}

/* The rules from `from` on that share their path text and kind, up to `to`. */
static struct rule_list take_list(const struct entries *entries, uint32_t from, uint32_t to)
{
    uint32_t end = from;
    while (end < to &&
           entries->items[end].rule->path_match == entries->items[from].rule->path_match)
        end++;
    return (struct rule_list){.items = entries->rules + from, .count = end - from};
}

static uint32_t same_path_end(const struct entries *entries, uint32_t from, uint32_t to)
{
    uint32_t end = from + 1;
    while (end < to && strview_equal(entries->items[end].path, entries->items[from].path))
        end++;
    return end;
}

static uint32_t same_host_end(const struct entries *entries, uint32_t from, uint32_t to)
{
    uint32_t end = from + 1;
    while (end < to && strview_equal(entries->items[end].host, entries->items[from].host))
        end++;
    return end;
}

/* Entries from … to - 1 have one path text. */
static struct path_rules path_rules(const struct entries *entries, uint32_t from, uint32_t to)
{
    struct path_rules rules = {.exact = {.count = 0}};
    if (entries->items[from].rule->path_match == PATH_MATCH_EXACT) {
        rules.exact = take_list(entries, from, to);
        from += rules.exact.count;
    }
    if (from < to)
        rules.prefix = take_list(entries, from, to);
    return rules;
}

/* Entries from … to - 1 have one host. */
static void host_rules_build(struct host_rules *host, const struct entries *entries, uint32_t from,
                             uint32_t to)
{
    /* The empty path sorts first. */
    if (entries->items[from].path.length == 0) {
        uint32_t end = same_path_end(entries, from, to);
        host->any_path = take_list(entries, from, end);
        from = end;
    }
    size_t room = to - from;
    struct radix_key *keys = arena_zalloc(entries->arena, room * sizeof(*keys));
    struct path_rules *by_path = arena_zalloc(entries->arena, room * sizeof(*by_path));
    uint32_t count = 0;
    while (from < to) {
        uint32_t end = same_path_end(entries, from, to);
        by_path[count] = path_rules(entries, from, end);
        keys[count] = (struct radix_key){.text = entries->items[from].path,
                                         .exact = by_path[count].exact.count > 0,
                                         .prefix = by_path[count].prefix.count > 0};
        count++;
        from = end;
    }
    host->by_path = by_path;
    radix_build(&host->paths, entries->arena, keys, count, '/');
}

static void hosts_build(struct route_index *index, const struct entries *entries, uint32_t count)
{
    uint32_t from = 0;
    if (count > 0 && entries->items[0].host.length == 0) {
        from = same_host_end(entries, 0, count);
        host_rules_build(&index->any_host, entries, 0, from);
    }
    size_t room = count - from;
    struct radix_key *keys = arena_zalloc(entries->arena, room * sizeof(*keys));
    struct host_rules *by_host = arena_zalloc(entries->arena, room * sizeof(*by_host));
    uint32_t hosts = 0;
    while (from < count) {
        uint32_t end = same_host_end(entries, from, count);
        struct strview text = entries->items[from].host;
        bool wildcard = text.data[text.length - 1] == '.';
        keys[hosts] = (struct radix_key){.text = text, .exact = !wildcard, .prefix = wildcard};
        host_rules_build(&by_host[hosts], entries, from, end);
        hosts++;
        from = end;
    }
    index->by_host = by_host;
    radix_build(&index->hosts, entries->arena, keys, hosts, '.');
}

void route_index_build(struct route_index *index, struct arena *arena,
                       const struct rule *const *rules, uint32_t count, bool folded)
{
    *index = (struct route_index){.by_host = NULL};
    struct entries entries = {
        .arena = arena,
        .items = memory_alloc((count + 1) * sizeof(*entries.items)),
        .rules = arena_alloc(arena, (count + 1) * sizeof(*entries.rules)),
    };
    for (uint32_t i = 0; i < count; i++)
        entries.items[i] = (struct entry){.host = reversed_host(rules[i]->host, arena),
                                          .path = entry_path(rules[i], folded, arena),
                                          .rule = rules[i]};
    qsort(entries.items, count, sizeof(*entries.items), compare_entries);
    for (uint32_t i = 0; i < count; i++)
        entries.rules[i] = entries.items[i].rule;
    hosts_build(index, &entries, count);
    free(entries.items);
}

static const struct rule *list_find(const struct rule_list *list,
                                    const struct match_subject *subject)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (rule_matches(list->items[i], subject))
            return list->items[i];
    }
    return NULL;
}

static const struct rule *host_rules_find(const struct host_rules *host,
                                          const struct match_subject *subject)
{
    struct radix_hit hit = radix_find(&host->paths, subject->path);
    const struct rule *rule = NULL;
    if (hit.exact != RADIX_NONE)
        rule = list_find(&host->by_path[hit.exact].exact, subject);
    for (uint32_t key = hit.prefix; key != RADIX_NONE && rule == NULL;
         key = radix_shorter(&host->paths, key))
        rule = list_find(&host->by_path[key].prefix, subject);
    return rule != NULL ? rule : list_find(&host->any_path, subject);
}

/* The authority's host: without port, and without the dot that ends a fully qualified name. */
static struct strview host_of_authority(struct strview authority)
{
    size_t end = 0;
    if (authority.length > 0 && authority.data[0] == '[') {
        end = strview_find(authority, ']');
        end += end < authority.length ? 1 : 0;
    } else {
        end = strview_find(authority, ':');
    }
    if (end > 0 && authority.data[end - 1] == '.')
        end--;
    return strview_make(authority.data, end);
}

static const struct rule *hosts_find(const struct route_index *index,
                                     const struct match_subject *subject)
{
    struct strview host = host_of_authority(subject->request->authority);
    char reversed[ROUTE_HOST_BYTES_MAX];
    /* A wildcard stands for labels, not for nothing before its dot. */
    if (host.length == 0 || host.length > sizeof(reversed) || host.data[0] == '.')
        return NULL;
    for (size_t i = 0; i < host.length; i++)
        reversed[i] = host.data[host.length - 1 - i];
    struct radix_hit hit = radix_find(&index->hosts, strview_make(reversed, host.length));
    const struct rule *rule = NULL;
    if (hit.exact != RADIX_NONE)
        rule = host_rules_find(&index->by_host[hit.exact], subject);
    for (uint32_t key = hit.prefix; key != RADIX_NONE && rule == NULL;
         key = radix_shorter(&index->hosts, key))
        rule = host_rules_find(&index->by_host[key], subject);
    return rule;
}

const struct rule *route_index_find(const struct route_index *index,
                                    const struct match_subject *subject)
{
    const struct rule *rule = index->hosts.root != NULL ? hosts_find(index, subject) : NULL;
    return rule != NULL ? rule : host_rules_find(&index->any_host, subject);
}
