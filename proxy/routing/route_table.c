#include "proxy/routing/route_table.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/routing/route_conflicts.h"
#include "proxy/routing/route_index.h"

struct rule_array {
    const struct rule **items;
    size_t count;
    size_t capacity;
};

struct route_table_builder {
    struct arena arena;
    struct regex_list regexes;
    struct rule_array rules;
};

struct route_table {
    struct arena arena; /* owns the rules and both indexes */
    struct regex_list regexes;
    struct route_index index;
    struct route_index guards; /* guarded rules alone, by folded path */
    bool has_guards;
    uint32_t references; /* atomic */
};

struct route_table_builder *route_table_builder_new(void)
{
    struct route_table_builder *builder = memory_zalloc(sizeof(*builder));
    arena_init(&builder->arena, NULL);
    return builder;
}

static void regex_list_done(struct regex_list *regexes)
{
    for (size_t i = 0; i < regexes->count; i++)
        regex_free(regexes->items[i]);
    free(regexes->items);
}

void route_table_builder_free(struct route_table_builder *builder)
{
    if (builder == NULL)
        return;
    regex_list_done(&builder->regexes);
    arena_done(&builder->arena);
    free(builder->rules.items);
    free(builder);
}

bool route_table_builder_add(struct route_table_builder *builder, const struct route_spec *spec,
                             struct route_fault *ret_fault)
{
    struct rule *rule = rule_compile(spec, &builder->arena, &builder->regexes, ret_fault);
    if (rule == NULL)
        return false;
    *ARRAY_PUSH(&builder->rules) = rule;
    return true;
}

size_t route_table_builder_conflicts(struct route_table_builder *builder,
                                     struct route_conflict *conflicts, size_t max)
{
    return route_conflicts_find(builder->rules.items, builder->rules.count, conflicts, max);
}

static void build_guards(struct route_table *table, const struct rule_array *rules)
{
    struct rule_array guards = {.items = NULL};
    for (size_t i = 0; i < rules->count; i++) {
        if (route_is_guarded(&rules->items[i]->route))
            *ARRAY_PUSH(&guards) = rules->items[i];
    }
    table->has_guards = guards.count > 0;
    route_index_build(&table->guards, &table->arena, guards.items, (uint32_t)guards.count, true);
    free(guards.items);
}

struct route_table *route_table_build_take(struct route_table_builder *builder)
{
    struct route_table *table = memory_zalloc(sizeof(*table));
    table->arena = builder->arena;
    table->regexes = builder->regexes;
    table->references = 1;
    route_index_build(&table->index, &table->arena, builder->rules.items,
                      (uint32_t)builder->rules.count, false);
    build_guards(table, &builder->rules);
    free(builder->rules.items);
    free(builder);
    return table;
}

struct route_table *route_table_ref(struct route_table *table)
{
    __atomic_fetch_add(&table->references, 1, __ATOMIC_RELAXED);
    return table;
}

void route_table_unref(struct route_table *table)
{
    if (table == NULL || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    regex_list_done(&table->regexes);
    arena_done(&table->arena);
    free(table);
}

static const struct rule *find_rule(const struct route_table *table,
                                    const struct request_head *request,
                                    struct match_scratch *scratch)
{
    if (request->path_kind != PATH_CANONICAL)
        return NULL;
    struct match_subject subject = {.request = request, .path = request->path, .scratch = scratch};
    return route_index_find(&table->index, &subject);
}

const struct route *route_table_find(const struct route_table *table,
                                     const struct request_head *request,
                                     struct match_scratch *scratch)
{
    const struct rule *rule = find_rule(table, request, scratch);
    return rule != NULL ? &rule->route : NULL;
}

/* Does an unguarded rule that took the canonical path also take the folded form? */
static bool takes_folded(const struct rule *rule, const struct match_subject *subject,
                         struct arena *arena)
{
    if (rule->path_match != PATH_MATCH_ANY &&
        !path_text_matches(rule->path_match, path_folded(arena, rule->path), subject->path))
        return false;
    return rule_matches(rule, subject);
}

static const struct route *find_guard_of_form(const struct route_table *table,
                                              const struct match_subject *subject,
                                              const struct ip_address *client, struct arena *arena)
{
    const struct rule *guard = route_index_find(&table->guards, subject);
    if (guard == NULL || route_refusal(&guard->route, client) == 0)
        return NULL;
    const struct rule *taken = find_rule(table, subject->request, subject->scratch);
    bool exception = taken != NULL && !route_is_guarded(&taken->route) &&
                     rule_precedes(taken, guard) && takes_folded(taken, subject, arena);
    return exception ? NULL : &guard->route;
}

const struct route *route_table_find_guard(const struct route_table *table,
                                           const struct request_head *request,
                                           const struct ip_address *client, struct arena *arena,
                                           struct match_scratch *scratch)
{
    if (!table->has_guards ||
        (request->path_kind != PATH_CANONICAL && request->path_kind != PATH_AMBIGUOUS))
        return NULL;
    struct match_subject subject = {.request = request,
                                    .path = path_folded_literal(arena, request->path),
                                    .folded = true,
                                    .scratch = scratch};
    const struct route *guard = find_guard_of_form(table, &subject, client, arena);
    /* Without dot segments this is the same view, and costs a look. */
    struct strview resolved = path_folded(arena, subject.path);
    if (guard != NULL || strview_equal(resolved, subject.path))
        return guard;
    subject.path = resolved;
    return find_guard_of_form(table, &subject, client, arena);
}
