/* Hashes of JSON values: equal for what compares as equal, so that elements can be found again. */
#include "proxy/compare/compare_json_internal.h"

#include <xxhash.h>

static uint64_t hash_text(uint64_t seed, struct strview text)
{
    return XXH3_64bits_withSeed(text.data, text.length, seed);
}

static uint64_t hash_two(uint64_t first, uint64_t second)
{
    const uint64_t both[2] = {first, second};
    return XXH3_64bits(both, sizeof(both));
}

static uint64_t hash_scalar(const struct json_comparison *comparison, const struct json_node *node)
{
    struct json_number number;
    if (node->kind != JSON_NUMBER)
        return hash_text((uint64_t)node->kind, node->text);
    if (json_number_read(node->text, &number))
        return hash_two(JSON_NUMBER, json_number_hash(&number));
    comparison->work->why = json_number_too_large;
    return 0;
}

static uint64_t hash_object(const struct json_comparison *comparison, const struct json_tree *tree,
                            const struct json_node *node, const struct json_place *place)
{
    uint64_t hash = JSON_OBJECT;
    struct json_place below;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct json_node *member = json_node_of(tree, node->sorted[i]);
        if (!json_enter_member(comparison->work->rules, place, member->name, &below))
            continue;
        hash = hash_two(hash, hash_text(1, member->name));
        hash = hash_two(hash, json_hash_node(comparison, tree, node->sorted[i], &below));
    }
    return hash;
}

static uint64_t hash_array(const struct json_comparison *comparison, const struct json_tree *tree,
                           const struct json_node *node, const struct json_place *place)
{
    uint64_t hash = JSON_ARRAY;
    struct json_place below;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!json_enter_element(comparison->work->rules, place, i, &below))
            continue;
        uint64_t element = json_hash_node(comparison, tree, node->sorted[i], &below);
        hash = place->is_unordered ? hash + hash_two(element, 1) : hash_two(hash, element);
    }
    return hash;
}

uint64_t json_hash_node(const struct json_comparison *comparison, const struct json_tree *tree,
                        uint32_t index, const struct json_place *place)
{
    const struct json_node *node = json_node_of(tree, index);
    if (!work_spend(comparison->work, json_steps_of(comparison->work->rules, node)))
        return 0;
    if (node->kind == JSON_OBJECT)
        return hash_object(comparison, tree, node, place);
    if (node->kind == JSON_ARRAY)
        return hash_array(comparison, tree, node, place);
    return hash_scalar(comparison, node);
}
