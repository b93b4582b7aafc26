/*
 * Two JSON trees. Members are compared by name, elements by place; the same elements in another
 * order are one difference of order, not many of values. Arrays of different lengths are not looked
 * into: which element is the missing one is a guess.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "proxy/compare/compare_body.h"
#include "proxy/compare/json_tree.h"

struct json_comparison {
    struct compare_work *work;
    const struct json_tree *first;
    const struct json_tree *second;
    struct field_path path;
};

/* Where the walk is, for the patterns. */
struct json_place {
    struct path_cursor ignore;
    struct path_cursor unordered;
    bool is_unordered;
};

static const struct json_node *node_of(const struct json_tree *tree, uint32_t index)
{
    return &tree->nodes[index];
}

/* One step down; false: this place is ignored. */
static bool enter_member(const struct compare_rules *rules, const struct json_place *from,
                         struct strview name, struct json_place *ret_to)
{
    ret_to->is_unordered =
        path_cursor_enter_member(&rules->unordered, &from->unordered, name, &ret_to->unordered);
    return !path_cursor_enter_member(&rules->ignore, &from->ignore, name, &ret_to->ignore);
}

static bool enter_element(const struct compare_rules *rules, const struct json_place *from,
                          uint32_t index, struct json_place *ret_to)
{
    ret_to->is_unordered =
        path_cursor_enter_element(&rules->unordered, &from->unordered, index, &ret_to->unordered);
    return !path_cursor_enter_element(&rules->ignore, &from->ignore, index, &ret_to->ignore);
}

static uint64_t steps_of(const struct compare_rules *rules, const struct json_node *node)
{
    return 1 + rules->ignore.count + rules->unordered.count + node->text.length / 64;
}

/* --- hashes: equal for what compares as equal ---------------------------------------------------
 */

static uint64_t hash_node(struct json_comparison *comparison, const struct json_tree *tree,
                          uint32_t index, const struct json_place *place);

static uint64_t hash_text(uint64_t seed, struct strview text)
{
    return XXH3_64bits_withSeed(text.data, text.length, seed);
}

static uint64_t hash_two(uint64_t first, uint64_t second)
{
    const uint64_t both[2] = {first, second};
    return XXH3_64bits(both, sizeof(both));
}

static uint64_t hash_scalar(struct json_comparison *comparison, const struct json_node *node)
{
    struct strview text = node->text;
    if (node->kind == JSON_NUMBER &&
        !json_number_canonical(comparison->work->arena, node->text, &text))
        comparison->work->why = "a number's exponent is too large";
    return hash_text((uint64_t)node->kind, text);
}

static uint64_t hash_object(struct json_comparison *comparison, const struct json_tree *tree,
                            const struct json_node *node, const struct json_place *place)
{
    uint64_t hash = JSON_OBJECT;
    struct json_place below;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct json_node *member = node_of(tree, node->sorted[i]);
        if (!enter_member(comparison->work->rules, place, member->name, &below))
            continue;
        hash = hash_two(hash, hash_text(1, member->name));
        hash = hash_two(hash, hash_node(comparison, tree, node->sorted[i], &below));
    }
    return hash;
}

static uint64_t hash_array(struct json_comparison *comparison, const struct json_tree *tree,
                           const struct json_node *node, const struct json_place *place)
{
    uint64_t hash = JSON_ARRAY;
    struct json_place below;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!enter_element(comparison->work->rules, place, i, &below))
            continue;
        uint64_t element = hash_node(comparison, tree, node->sorted[i], &below);
        hash = place->is_unordered ? hash + hash_two(element, 1) : hash_two(hash, element);
    }
    return hash;
}

static uint64_t hash_node(struct json_comparison *comparison, const struct json_tree *tree,
                          uint32_t index, const struct json_place *place)
{
    const struct json_node *node = node_of(tree, index);
    if (!work_spend(comparison->work, steps_of(comparison->work->rules, node)))
        return 0;
    if (node->kind == JSON_OBJECT)
        return hash_object(comparison, tree, node, place);
    if (node->kind == JSON_ARRAY)
        return hash_array(comparison, tree, node, place);
    return hash_scalar(comparison, node);
}

/* --- differences --------------------------------------------------------------------------------
 */

static void compare_nodes(struct json_comparison *comparison, uint32_t first, uint32_t second,
                          const struct json_place *place);

/* How a value is shown: a container by what it is. */
static struct strview shown(struct json_comparison *comparison, const struct json_node *node)
{
    if (node->kind == JSON_OBJECT)
        return arena_printf(comparison->work->arena, "{…} of %u", node->count);
    if (node->kind == JSON_ARRAY)
        return arena_printf(comparison->work->arena, "[…] of %u", node->count);
    return node->text;
}

static void add(struct json_comparison *comparison, enum difference_kind kind,
                const struct json_node *first, const struct json_node *second)
{
    difference_add(comparison->work->differences, kind, field_path_view(&comparison->path),
                   first != NULL ? shown(comparison, first) : STRVIEW_NONE,
                   second != NULL ? shown(comparison, second) : STRVIEW_NONE);
}

static bool numbers_are_equal(struct json_comparison *comparison, struct strview first,
                              struct strview second)
{
    struct strview texts[2];
    if (!json_number_canonical(comparison->work->arena, first, &texts[0]) ||
        !json_number_canonical(comparison->work->arena, second, &texts[1])) {
        comparison->work->why = "a number's exponent is too large";
        return true;
    }
    return strview_equal(texts[0], texts[1]);
}

static void compare_scalars(struct json_comparison *comparison, const struct json_node *first,
                            const struct json_node *second)
{
    if (strview_equal(first->text, second->text))
        return;
    if (first->kind == JSON_NUMBER && numbers_are_equal(comparison, first->text, second->text))
        return;
    add(comparison, DIFFERENCE_VALUE, first, second);
}

/* A member that both have, or that one lacks (UINT32_MAX there). */
static void compare_member(struct json_comparison *comparison, struct strview name, uint32_t first,
                           uint32_t second, const struct json_place *place)
{
    struct json_place below;
    if (!enter_member(comparison->work->rules, place, name, &below))
        return;
    size_t mark = field_path_enter_member(&comparison->path, name);
    if (second == UINT32_MAX)
        add(comparison, DIFFERENCE_MISSING, node_of(comparison->first, first), NULL);
    else if (first == UINT32_MAX)
        add(comparison, DIFFERENCE_EXTRA, NULL, node_of(comparison->second, second));
    else
        compare_nodes(comparison, first, second, &below);
    field_path_leave(&comparison->path, mark);
}

static void compare_objects(struct json_comparison *comparison, const struct json_node *first,
                            const struct json_node *second, const struct json_place *place)
{
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < first->count || j < second->count) {
        struct strview left =
            i < first->count ? node_of(comparison->first, first->sorted[i])->name : STRVIEW_NONE;
        struct strview right =
            j < second->count ? node_of(comparison->second, second->sorted[j])->name : STRVIEW_NONE;
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

/* --- arrays -------------------------------------------------------------------------------------
 */

struct hashed_element {
    uint64_t hash;
    uint32_t node;
    uint32_t place;
};

static int compare_hashes(const void *left, const void *right)
{
    const struct hashed_element *a = left;
    const struct hashed_element *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static int compare_places(const void *left, const void *right)
{
    const struct hashed_element *a = left;
    const struct hashed_element *b = right;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* The elements sorted by hash; those in ignored places are left out. */
static uint32_t hash_elements(struct json_comparison *comparison, const struct json_tree *tree,
                              const struct json_node *array, const struct json_place *place,
                              struct hashed_element *ret_elements)
{
    uint32_t count = 0;
    struct json_place below;
    for (uint32_t i = 0; i < array->count && comparison->work->why == NULL; i++) {
        if (!enter_element(comparison->work->rules, place, i, &below))
            continue;
        ret_elements[count++] = (struct hashed_element){
            hash_node(comparison, tree, array->sorted[i], &below), array->sorted[i], i};
    }
    qsort(ret_elements, count, sizeof(*ret_elements), compare_hashes);
    return count;
}

/* Takes out what both have; what is left stands in the order of the arrays. */
static void drop_common(struct hashed_element *first, uint32_t *first_count,
                        struct hashed_element *second, uint32_t *second_count)
{
    uint32_t left = 0;
    uint32_t right = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < *first_count && j < *second_count) {
        if (first[i].hash == second[j].hash) {
            i++;
            j++;
        } else if (first[i].hash < second[j].hash) {
            first[left++] = first[i++];
        } else {
            second[right++] = second[j++];
        }
    }
    while (i < *first_count)
        first[left++] = first[i++];
    while (j < *second_count)
        second[right++] = second[j++];
    *first_count = left;
    *second_count = right;
    qsort(first, left, sizeof(*first), compare_places);
    qsort(second, right, sizeof(*second), compare_places);
}

static void compare_element(struct json_comparison *comparison, uint32_t first, uint32_t second,
                            uint32_t index, const struct json_place *place)
{
    struct json_place below;
    if (!enter_element(comparison->work->rules, place, index, &below))
        return;
    size_t mark = field_path_enter_element(&comparison->path);
    compare_nodes(comparison, first, second, &below);
    field_path_leave(&comparison->path, mark);
}

/* Elements whose order means nothing, or may have changed. Returns how many have no equal. */
static uint32_t compare_as_sets(struct json_comparison *comparison, const struct json_node *first,
                                const struct json_node *second, const struct json_place *place)
{
    struct arena *arena = comparison->work->arena;
    struct hashed_element *left = arena_alloc(arena, (first->count + 1) * sizeof(*left));
    struct hashed_element *right = arena_alloc(arena, (second->count + 1) * sizeof(*right));
    uint32_t left_count = hash_elements(comparison, comparison->first, first, place, left);
    uint32_t right_count = hash_elements(comparison, comparison->second, second, place, right);
    if (comparison->work->why != NULL)
        return 0;
    drop_common(left, &left_count, right, &right_count);
    if (!place->is_unordered)
        return left_count + right_count;
    if (left_count != right_count)
        add(comparison, DIFFERENCE_LENGTH, first, second);
    for (uint32_t i = 0; i < left_count && i < right_count; i++)
        compare_element(comparison, left[i].node, right[i].node, left[i].place, place);
    return left_count + right_count;
}

static void compare_arrays(struct json_comparison *comparison, const struct json_node *first,
                           const struct json_node *second, const struct json_place *place)
{
    struct difference_list *differences = comparison->work->differences;
    if (place->is_unordered) {
        compare_as_sets(comparison, first, second, place);
        return;
    }
    if (first->count != second->count) {
        add(comparison, DIFFERENCE_LENGTH, first, second);
        return;
    }
    uint32_t before = differences->count;
    bool more_before = differences->more;
    for (uint32_t i = 0; i < first->count && comparison->work->why == NULL; i++)
        compare_element(comparison, first->sorted[i], second->sorted[i], i, place);
    if (differences->count == before || comparison->work->why != NULL ||
        compare_as_sets(comparison, first, second, place) > 0)
        return;
    differences->count = before;
    differences->more = more_before;
    add(comparison, DIFFERENCE_ORDER, first, second);
}

static void compare_nodes(struct json_comparison *comparison, uint32_t first_index,
                          uint32_t second_index, const struct json_place *place)
{
    const struct json_node *first = node_of(comparison->first, first_index);
    const struct json_node *second = node_of(comparison->second, second_index);
    if (!work_spend(comparison->work, steps_of(comparison->work->rules, first)))
        return;
    if (first->kind != second->kind)
        add(comparison, DIFFERENCE_TYPE, first, second);
    else if (first->kind == JSON_OBJECT)
        compare_objects(comparison, first, second, place);
    else if (first->kind == JSON_ARRAY)
        compare_arrays(comparison, first, second, place);
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
    compare_nodes(&comparison, 0, 0, &place);
}
