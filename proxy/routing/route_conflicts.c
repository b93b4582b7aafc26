#include "proxy/routing/route_conflicts.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/routing/route_cover.h"

enum { COMPARISONS_MAX = 10 * 1000 * 1000 };

static int compare_ignoring_case(struct strview a, struct strview b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < shorter; i++) {
        int difference =
            (unsigned char)ascii_lower(a.data[i]) - (unsigned char)ascii_lower(b.data[i]);
        if (difference != 0)
            return difference;
    }
    return a.length < b.length ? -1 : a.length > b.length;
}

/* Rules that compare equal stand at one place of the precedence: host, kind and text of the path.
 */
static int compare_places(const struct rule *a, const struct rule *b)
{
    int order = strview_compare(a->host, b->host);
    if (order == 0)
        order = (int)a->path_match - (int)b->path_match;
    return order != 0 ? order : compare_ignoring_case(a->path, b->path);
}

static int compare_for_sort(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left;
    const struct rule *b = *(const struct rule *const *)right;
    int order = compare_places(a, b);
    if (order != 0)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool same_conditions(const struct rule *a, const struct rule *b)
{
    if (a->condition_count != b->condition_count)
        return false;
    for (uint32_t i = 0; i < a->condition_count; i++) {
        if (condition_compare(&a->conditions[i], &b->conditions[i]) != 0)
            return false;
    }
    return true;
}

static bool conditions_exclude(const struct rule *a, const struct rule *b)
{
    for (uint32_t i = 0; i < a->condition_count; i++) {
        for (uint32_t j = 0; j < b->condition_count; j++) {
            if (condition_excludes(&a->conditions[i], &b->conditions[j]))
                return true;
        }
    }
    return false;
}

/* For rules at one place. */
static bool is_identical(const struct rule *a, const struct rule *b)
{
    return a->ignore_case == b->ignore_case &&
           (a->ignore_case || strview_equal(a->path, b->path)) && same_conditions(a, b);
}

static bool is_tie(const struct rule *a, const struct rule *b)
{
    bool one_path = a->ignore_case || b->ignore_case || strview_equal(a->path, b->path);
    return one_path && a->priority == b->priority && a->condition_count == b->condition_count &&
           !conditions_exclude(a, b);
}

/* What was found so far, and the room for it. */
struct findings {
    struct route_conflict *conflicts;
    size_t count;
    size_t max;
};

static void add(struct findings *findings, const struct rule *first, const struct rule *second,
                enum route_conflict_kind kind)
{
    if (findings->count < findings->max)
        findings->conflicts[findings->count++] = (struct route_conflict){
            .first = first->route.index, .second = second->route.index, .kind = kind};
}

/* Two rules at one place; `a` stands first in the files. */
static void compare_neighbours(struct findings *findings, const struct rule *a,
                               const struct rule *b)
{
    if (is_identical(a, b))
        add(findings, a, b, ROUTE_IDENTICAL);
    else if (rule_covers(a, b))
        add(findings, a, b, ROUTE_UNREACHABLE);
    else if (rule_covers(b, a))
        add(findings, b, a, ROUTE_UNREACHABLE);
    else if (is_tie(a, b))
        add(findings, a, b, ROUTE_TIE);
}

/* Prefixes go before all regexes without one. Not looked at when there are very many of both. */
static void find_covered_regexes(struct findings *findings, const struct rule *const *rules,
                                 size_t count)
{
    size_t regexes = 0;
    for (size_t i = 0; i < count; i++)
        regexes += rules[i]->path_match == PATH_MATCH_ANY ? 1 : 0;
    if (regexes * count > COMPARISONS_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct rule *cause = NULL;
        for (size_t j = 0; j < count && cause == NULL; j++) {
            if (rules[i]->path_match == PATH_MATCH_ANY &&
                rules[j]->path_match == PATH_MATCH_PREFIX && rule_covers(rules[j], rules[i]))
                cause = rules[j];
        }
        if (cause != NULL)
            add(findings, cause, rules[i], ROUTE_UNREACHABLE);
    }
}

size_t route_conflicts_find(const struct rule *const *rules, size_t count,
                            struct route_conflict *conflicts, size_t max)
{
    struct findings findings = {.conflicts = conflicts, .max = max};
    const struct rule **sorted = memory_alloc((count + 1) * sizeof(const struct rule *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = rules[i];
    qsort(sorted, count, sizeof(const struct rule *), compare_for_sort);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count && findings.count < max; j++) {
            if (compare_places(sorted[i], sorted[j]) != 0)
                break;
            compare_neighbours(&findings, sorted[i], sorted[j]);
        }
    }
    free(sorted);
    find_covered_regexes(&findings, rules, count);
    return findings.count;
}
