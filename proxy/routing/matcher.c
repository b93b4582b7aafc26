#include "proxy/routing/matcher.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"

/* In the order in which a request is tested: cheap ones first. */
static const struct matcher *const matchers[] = {
    &match_method, &match_header, &match_cookie, &match_query, &match_path_regex,
};

enum { MATCHER_COUNT = sizeof(matchers) / sizeof(matchers[0]), FIRST_ROOM = 4 };

static int matcher_index(const struct matcher *matcher)
{
    int index = 0;
    while (matchers[index] != matcher)
        index++;
    return index;
}

int condition_compare(const struct condition *a, const struct condition *b)
{
    if (a->matcher != b->matcher)
        return matcher_index(a->matcher) < matcher_index(b->matcher) ? -1 : 1;
    if (a->methods != b->methods)
        return a->methods < b->methods ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int names = strview_compare(a->name, b->name);
    return names != 0 ? names : strview_compare(a->value, b->value);
}

static int compare_for_sort(const void *a, const void *b)
{
    return condition_compare(a, b);
}

bool condition_excludes(const struct condition *a, const struct condition *b)
{
    return a->matcher == b->matcher && a->matcher->excludes != NULL && a->matcher->excludes(a, b);
}

static void make_room(struct condition_builder *builder)
{
    uint32_t room = builder->room > 0 ? 2 * builder->room : FIRST_ROOM;
    struct condition *conditions = arena_zalloc(builder->arena, room * sizeof(*conditions));
    if (builder->count > 0)
        memcpy(conditions, builder->conditions, builder->count * sizeof(*conditions));
    builder->conditions = conditions;
    builder->room = room;
}

struct condition *condition_add(struct condition_builder *builder, const struct matcher *matcher)
{
    if (builder->count == builder->room)
        make_room(builder);
    struct condition *condition = &builder->conditions[builder->count++];
    condition->matcher = matcher;
    return condition;
}

bool conditions_compile(struct condition_builder *builder, const struct route_spec *spec)
{
    for (int i = 0; i < MATCHER_COUNT; i++) {
        if (!matchers[i]->compile(builder, matchers[i], spec))
            return false;
    }
    if (builder->count < 2)
        return true;
    qsort(builder->conditions, builder->count, sizeof(*builder->conditions), compare_for_sort);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < builder->count; i++) {
        if (condition_compare(&builder->conditions[i], &builder->conditions[kept - 1]) != 0)
            builder->conditions[kept++] = builder->conditions[i];
    }
    builder->count = kept;
    return true;
}

const struct route_regex *condition_regex(struct condition_builder *builder, struct strview pattern,
                                          bool ignore_case)
{
    struct regex_fault fault;
    struct route_regex *regex = regex_new(pattern, ignore_case, &fault);
    if (regex == NULL) {
        builder->fault->offset = fault.offset;
        snprintf(builder->fault->text, sizeof(builder->fault->text), "%s", fault.text);
        return NULL;
    }
    *ARRAY_PUSH(builder->regexes) = regex;
    return regex;
}

static bool value_test_compile(struct condition_builder *builder, const struct matcher *matcher,
                               const struct value_test *test)
{
    struct condition *condition = condition_add(builder, matcher);
    condition->kind = test->kind;
    condition->name = arena_copy(builder->arena, test->name);
    if (test->kind != TEST_PRESENT)
        condition->value = arena_copy(builder->arena, test->value);
    if (test->kind != TEST_REGEX)
        return true;
    condition->regex = condition_regex(builder, test->value, false);
    return condition->regex != NULL;
}

bool value_tests_compile(struct condition_builder *builder, const struct matcher *matcher,
                         const struct value_test_list *list, enum route_part part)
{
    for (size_t i = 0; i < list->count; i++) {
        builder->fault->part = part;
        builder->fault->item = i;
        if (list->items[i].name.length == 0) {
            builder->fault->offset = 0;
            snprintf(builder->fault->text, sizeof(builder->fault->text), "a name is missing");
            return false;
        }
        if (!value_test_compile(builder, matcher, &list->items[i]))
            return false;
    }
    return true;
}

enum match_result value_test(const struct condition *condition, struct strview value,
                             struct match_scratch *scratch)
{
    switch (condition->kind) {
    case TEST_PRESENT:
        return MATCH_YES;
    case TEST_EQUAL:
        return strview_equal(condition->value, value) ? MATCH_YES : MATCH_NO;
    case TEST_REGEX:
        return regex_search(condition->regex, value, scratch);
    }
    return MATCH_NO;
}

bool value_tests_exclude(const struct condition *a, const struct condition *b)
{
    return a->kind == TEST_EQUAL && b->kind == TEST_EQUAL && strview_equal(a->name, b->name) &&
           !strview_equal(a->value, b->value);
}
