/*
 * Two JSON trees under comparison, from inside: shared by compare_json.c (the walk), json_hash.c
 * (what compares as equal has equal hashes) and compare_json_array.c.
 */
#ifndef COMPARE_JSON_INTERNAL_H
#define COMPARE_JSON_INTERNAL_H

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

static inline const struct json_node *json_node_of(const struct json_tree *tree, uint32_t index)
{
    return &tree->nodes[index];
}

/* One step down; false: this place is ignored. */
static inline bool json_enter_member(const struct compare_rules *rules,
                                     const struct json_place *from, struct strview name,
                                     struct json_place *ret_to)
{
    ret_to->is_unordered =
        path_cursor_enter_member(&rules->unordered, &from->unordered, name, &ret_to->unordered);
    return !path_cursor_enter_member(&rules->ignore, &from->ignore, name, &ret_to->ignore);
}

static inline bool json_enter_element(const struct compare_rules *rules,
                                      const struct json_place *from, uint32_t index,
                                      struct json_place *ret_to)
{
    ret_to->is_unordered =
        path_cursor_enter_element(&rules->unordered, &from->unordered, index, &ret_to->unordered);
    return !path_cursor_enter_element(&rules->ignore, &from->ignore, index, &ret_to->ignore);
}

/* What it costs to look at a node. */
static inline uint64_t json_steps_of(const struct compare_rules *rules,
                                     const struct json_node *node)
{
    return 1 + rules->ignore.count + rules->unordered.count + node->text.length / 64;
}

/* Equal for what compares as equal at this place; allocates nothing. 0 when the work is spent. */
uint64_t json_hash_node(const struct json_comparison *comparison, const struct json_tree *tree,
                        uint32_t index, const struct json_place *place);

/* Two values at one place. */
void compare_json_nodes(struct json_comparison *comparison, uint32_t first, uint32_t second,
                        const struct json_place *place);

void compare_json_arrays(struct json_comparison *comparison, const struct json_node *first,
                         const struct json_node *second, const struct json_place *place);

/* At the place where the walk is; one of the two may be NULL. */
void compare_json_add(struct json_comparison *comparison, enum difference_kind kind,
                      const struct json_node *first, const struct json_node *second);

#endif
