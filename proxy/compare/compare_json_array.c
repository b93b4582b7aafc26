/* Arrays: by place, or as sets of elements. */
#include "proxy/compare/compare_json_internal.h"

#include <stdlib.h>

/* Among so many elements the one is looked for that another one may have become. */
enum { ALIKE_ELEMENTS_MAX = 32 };

struct hashed_element {
    uint64_t hash;
    uint32_t node;
    uint32_t place;
};

struct element_list {
    struct hashed_element *items;
    uint32_t count;
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
static struct element_list hash_elements(const struct json_comparison *comparison,
                                         const struct json_tree *tree,
                                         const struct json_node *array,
                                         const struct json_place *place)
{
    struct compare_work *work = comparison->work;
    struct element_list list = {
        .items = arena_alloc(work->arena, (array->count + 1) * sizeof(*list.items))};
    struct json_place below;
    for (uint32_t i = 0; i < array->count && work->why == NULL; i++) {
        if (!json_enter_element(work->rules, place, i, &below))
            continue;
        list.items[list.count++] = (struct hashed_element){
            json_hash_node(comparison, tree, array->sorted[i], &below), array->sorted[i], i};
    }
    qsort(list.items, list.count, sizeof(*list.items), compare_hashes);
    return list;
}

/* Takes out what both have; what is left stands in the order of the arrays. */
static void drop_common(struct element_list *first, struct element_list *second)
{
    uint32_t left = 0;
    uint32_t right = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < first->count && j < second->count) {
        if (first->items[i].hash == second->items[j].hash) {
            i++;
            j++;
        } else if (first->items[i].hash < second->items[j].hash) {
            first->items[left++] = first->items[i++];
        } else {
            second->items[right++] = second->items[j++];
        }
    }
    while (i < first->count)
        first->items[left++] = first->items[i++];
    while (j < second->count)
        second->items[right++] = second->items[j++];
    first->count = left;
    second->count = right;
    qsort(first->items, left, sizeof(*first->items), compare_places);
    qsort(second->items, right, sizeof(*second->items), compare_places);
}

static void compare_element(struct json_comparison *comparison, uint32_t first, uint32_t second,
                            uint32_t index, const struct json_place *place)
{
    struct json_place below;
    if (!json_enter_element(comparison->work->rules, place, index, &below))
        return;
    size_t mark = field_path_enter_element(&comparison->path);
    compare_json_nodes(comparison, first, second, &below);
    field_path_leave(&comparison->path, mark);
}

/* --- sets -----------------------------------------------------------------------------------
 */

static bool member_is_equal(const struct json_comparison *comparison, uint32_t first,
                            uint32_t second, const struct json_place *place)
{
    struct json_place below;
    struct strview name = json_node_of(comparison->first, first)->name;
    return !json_enter_member(comparison->work->rules, place, name, &below) ||
           json_hash_node(comparison, comparison->first, first, &below) ==
               json_hash_node(comparison, comparison->second, second, &below);
}

/* How many members of two objects are equal. */
static uint32_t likeness(const struct json_comparison *comparison, uint32_t first, uint32_t second,
                         const struct json_place *place)
{
    const struct json_node *left = json_node_of(comparison->first, first);
    const struct json_node *right = json_node_of(comparison->second, second);
    uint32_t equal = 0;
    if (left->kind != JSON_OBJECT || right->kind != JSON_OBJECT)
        return 0;
    for (uint32_t i = 0, j = 0; i < left->count && j < right->count;) {
        int order = strview_compare(json_node_of(comparison->first, left->sorted[i])->name,
                                    json_node_of(comparison->second, right->sorted[j])->name);
        if (order == 0 && member_is_equal(comparison, left->sorted[i], right->sorted[j], place))
            equal++;
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
    return equal;
}

/* Takes from the list the element that `one` most probably has become. */
static uint32_t take_most_alike(const struct json_comparison *comparison,
                                const struct hashed_element *one, struct element_list *others,
                                const struct json_place *place)
{
    struct json_place below;
    uint32_t best = 0;
    uint32_t most = 0;
    json_enter_element(comparison->work->rules, place, one->place, &below);
    for (uint32_t i = 0; others->count > 1 && i < others->count && i < ALIKE_ELEMENTS_MAX; i++) {
        uint32_t equal = likeness(comparison, one->node, others->items[i].node, &below);
        if (equal <= most)
            continue;
        most = equal;
        best = i;
    }
    uint32_t node = others->items[best].node;
    for (uint32_t i = best; i > 0; i--)
        others->items[i] = others->items[i - 1];
    others->items++;
    others->count--;
    return node;
}

/* Elements whose order means nothing, or may have changed. Returns how many have no equal. */
static uint32_t compare_as_sets(struct json_comparison *comparison, const struct json_node *first,
                                const struct json_node *second, const struct json_place *place)
{
    struct element_list left = hash_elements(comparison, comparison->first, first, place);
    struct element_list right = hash_elements(comparison, comparison->second, second, place);
    if (comparison->work->why != NULL)
        return 0;
    drop_common(&left, &right);
    uint32_t alone = left.count + right.count;
    if (!place->is_unordered)
        return alone;
    if (left.count != right.count)
        compare_json_add(comparison, DIFFERENCE_LENGTH, first, second);
    for (uint32_t i = 0; i < left.count && right.count > 0 && comparison->work->why == NULL; i++)
        compare_element(comparison, left.items[i].node,
                        take_most_alike(comparison, &left.items[i], &right, place),
                        left.items[i].place, place);
    return alone;
}

void compare_json_arrays(struct json_comparison *comparison, const struct json_node *first,
                         const struct json_node *second, const struct json_place *place)
{
    struct difference_list *differences = comparison->work->differences;
    if (place->is_unordered) {
        compare_as_sets(comparison, first, second, place);
        return;
    }
    if (first->count != second->count) {
        compare_json_add(comparison, DIFFERENCE_LENGTH, first, second);
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
    compare_json_add(comparison, DIFFERENCE_ORDER, first, second);
}
