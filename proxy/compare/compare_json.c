/*
 * Two JSON trees. Members are compared by name, elements by place; the same elements in another
 * order are one difference of order, not many of values. Arrays of different lengths are not looked
 * into: which element is the missing one is a guess.
 */
#include "proxy/compare/compare_json_internal.h"

/* How a value is shown: a container by what it is. */
static struct strview shown(struct json_comparison *comparison, const struct json_node *node)
{
    if (node->kind == JSON_OBJECT)
        return arena_printf(comparison->work->arena, "{…} of %u", node->count);
    if (node->kind == JSON_ARRAY)
        return arena_printf(comparison->work->arena, "[…] of %u", node->count);
    return node->text;
}

void compare_json_add(struct json_comparison *comparison, enum difference_kind kind,
                      const struct json_node *first, const struct json_node *second)
{
    if (!work_spend(comparison->work, 1 + comparison->work->differences->count))
        return;
    difference_add(comparison->work->differences, kind, field_path_view(&comparison->path),
                   first != NULL ? shown(comparison, first) : STRVIEW_NONE,
                   second != NULL ? shown(comparison, second) : STRVIEW_NONE);
}

static bool numbers_are_equal(struct json_comparison *comparison, struct strview first,
                              struct strview second)
{
    struct json_number numbers[2];
    if (json_number_read(first, &numbers[0]) && json_number_read(second, &numbers[1]))
        return json_number_equal(&numbers[0], &numbers[1]);
    comparison->work->why = json_number_too_large;
    return true;
}

static void compare_scalars(struct json_comparison *comparison, const struct json_node *first,
                            const struct json_node *second)
{
    if (strview_equal(first->text, second->text))
        return;
    if (first->kind == JSON_NUMBER && numbers_are_equal(comparison, first->text, second->text))
        return;
    compare_json_add(comparison, DIFFERENCE_VALUE, first, second);
}

/* A member that both have, or that one lacks (UINT32_MAX there). */
static void compare_member(struct json_comparison *comparison, struct strview name, uint32_t first,
                           uint32_t second, const struct json_place *place)
{
    struct json_place below;
    if (!json_enter_member(comparison->work->rules, place, name, &below))
        return;
    size_t mark = field_path_enter_member(&comparison->path, name);
    if (second == UINT32_MAX)
        compare_json_add(comparison, DIFFERENCE_MISSING, json_node_of(comparison->first, first),
                         NULL);
    else if (first == UINT32_MAX)
        compare_json_add(comparison, DIFFERENCE_EXTRA, NULL,
                         json_node_of(comparison->second, second));
    else
        compare_json_nodes(comparison, first, second, &below);
    field_path_leave(&comparison->path, mark);
}

static void compare_objects(struct json_comparison *comparison, const struct json_node *first,
                            const struct json_node *second, const struct json_place *place)
{
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < first->count || j < second->count) {
        struct strview left = i < first->count
                                  ? json_node_of(comparison->first, first->sorted[i])->name
                                  : STRVIEW_NONE;
        struct strview right = j < second->count
                                   ? json_node_of(comparison->second, second->sorted[j])->name
                                   : STRVIEW_NONE;
        int order = i == first->count ? 1 : j == second->count ? -1 : strview_compare(left, right);
        if (!work_spend(comparison->work, 1))
            return;
        compare_member(comparison, order <= 0 ? left : right,
                       order <= 0 ? first->sorted[i] : UINT32_MAX,
                       order >= 0 ? second->sorted[j] : UINT32_MAX, place);
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
}

void compare_json_nodes(struct json_comparison *comparison, uint32_t first_index,
                        uint32_t second_index, const struct json_place *place)
{
    const struct json_node *first = json_node_of(comparison->first, first_index);
    const struct json_node *second = json_node_of(comparison->second, second_index);
    if (!work_spend(comparison->work, json_steps_of(comparison->work->rules, first)))
        return;
    if (first->kind != second->kind)
        compare_json_add(comparison, DIFFERENCE_TYPE, first, second);
    else if (first->kind == JSON_OBJECT)
        compare_objects(comparison, first, second, place);
    else if (first->kind == JSON_ARRAY)
        compare_json_arrays(comparison, first, second, place);
    else
        compare_scalars(comparison, first, second);
}

void compare_json(struct compare_work *work, struct strview first, struct strview second)
{
    struct json_tree trees[2];
    struct json_place place = {.is_unordered = false};
    work->why = json_tree_read(work->arena, first, &trees[0]);
    if (work->why == NULL)
        work->why = json_tree_read(work->arena, second, &trees[1]);
    if (work->why != NULL)
        return;
    struct json_comparison comparison = {.work = work, .first = &trees[0], .second = &trees[1]};
    field_path_init(&comparison.path, STRVIEW("$"));
    path_cursor_init(&place.ignore, &work->rules->ignore);
    path_cursor_init(&place.unordered, &work->rules->unordered);
    compare_json_nodes(&comparison, 0, 0, &place);
}
