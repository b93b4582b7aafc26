#include "proxy/routing/radix.h"

struct radix_node {
    const char *label; /* bytes that lead here from the parent */
    uint32_t label_length;
    uint32_t key; /* RADIX_NONE: no key ends here */
    bool exact;
    bool prefix;
    uint8_t first; /* byte that children[0] begins with */
    uint16_t span; /* number of children, NULL for bytes that lead nowhere */
    struct radix_node **children;
};

struct build {
    struct arena *arena;
    const struct radix_key *keys;
    uint32_t *shorter;
    char separator;
};

static unsigned char byte_at(const struct radix_key *key, size_t offset)
{
    return (unsigned char)key->text.data[offset];
}

/* Sorted keys share what the first and the last of them share. */
static size_t common_length(const struct radix_key *first, const struct radix_key *last,
                            size_t from)
{
    size_t end = from;
    while (end < first->text.length && end < last->text.length &&
           first->text.data[end] == last->text.data[end])
        end++;
    return end - from;
}

/* Does prefix key `outer`, with which the longer `inner` begins, end at a separator of it? */
static bool fits(const struct build *build, uint32_t outer, const struct radix_key *inner)
{
    struct strview text = build->keys[outer].text;
    return text.data[text.length - 1] == build->separator ||
           inner->text.data[text.length] == build->separator;
}

static void node_set_key(const struct build *build, struct radix_node *node, uint32_t key,
                         uint32_t outer)
{
    node->key = key;
    node->exact = build->keys[key].exact;
    node->prefix = build->keys[key].prefix;
    /* What fits in the outer prefix fits here too: the bytes up to there are the same. */
    if (outer != RADIX_NONE && !fits(build, outer, &build->keys[key]))
        outer = build->shorter[outer];
    build->shorter[key] = outer;
}

/* The end of the run of keys from `from` on that share the byte at `offset`. */
static uint32_t run_end(const struct build *build, uint32_t from, uint32_t to, size_t offset)
{
    uint32_t end = from + 1;
    while (end < to && byte_at(&build->keys[end], offset) == byte_at(&build->keys[from], offset))
        end++;
    return end;
}

/*
 * The node for keys from … to - 1, which share their first `offset` bytes. `outer` is the nearest
 * prefix key above. Depth of recursion is bounded by the length of the keys.
 */
static struct radix_node *node_build(const struct build *build, uint32_t from, uint32_t to,
                                     size_t offset, uint32_t outer)
{
    struct radix_node *node = arena_zalloc(build->arena, sizeof(*node));
    const struct radix_key *first = &build->keys[from];
    const struct radix_key *last = &build->keys[to - 1];
    /* The root has no label, so that a lookup can start with a choice among children. */
    size_t label = offset > 0 ? common_length(first, last, offset - 1) : 0;
    size_t depth = offset > 0 ? offset - 1 + label : 0;
    node->label = offset > 0 ? first->text.data + offset - 1 : NULL;
    node->label_length = (uint32_t)label;
    node->key = RADIX_NONE;
    if (first->text.length == depth) {
        node_set_key(build, node, from, outer);
        outer = node->prefix ? from : outer;
        from++;
    }
    if (from == to)
        return node;
    node->first = byte_at(&build->keys[from], depth);
    node->span = (uint16_t)(byte_at(last, depth) - node->first + 1);
    node->children = arena_zalloc(build->arena, node->span * sizeof(struct radix_node *));
    while (from < to) {
        uint32_t end = run_end(build, from, to, depth);
        node->children[byte_at(&build->keys[from], depth) - node->first] =
            node_build(build, from, end, depth + 1, outer);
        from = end;
    }
    return node;
}

void radix_build(struct radix *radix, struct arena *arena, const struct radix_key *keys,
                 uint32_t count, char separator)
{
    *radix = (struct radix){.separator = separator};
    if (count == 0)
        return;
    struct build build = {
        .arena = arena,
        .keys = keys,
        .shorter = arena_alloc(arena, count * sizeof(uint32_t)),
        .separator = separator,
    };
    radix->root = node_build(&build, 0, count, 0, RADIX_NONE);
    radix->shorter = build.shorter;
}

static bool label_fits(const struct radix_node *node, struct strview rest)
{
    if (rest.length < node->label_length)
        return false;
    /* The first byte chose the node. */
    for (uint32_t i = 1; i < node->label_length; i++) {
        if (rest.data[i] != node->label[i] && ascii_lower(rest.data[i]) != node->label[i])
            return false;
    }
    return true;
}

static const struct radix_node *node_child(const struct radix_node *node, char c)
{
    unsigned index = (unsigned)(unsigned char)ascii_lower(c) - node->first;
    return index < node->span ? node->children[index] : NULL;
}

struct radix_hit radix_find(const struct radix *radix, struct strview text)
{
    struct radix_hit hit = {RADIX_NONE, RADIX_NONE};
    const struct radix_node *node = radix->root;
    size_t at = 0;
    while (node != NULL && at < text.length) {
        node = node_child(node, text.data[at]);
        if (node == NULL || !label_fits(node, strview_from(text, at)))
            break;
        at += node->label_length;
        if (node->key == RADIX_NONE)
            continue;
        bool ends = at == text.length;
        if (node->prefix &&
            (ends || text.data[at] == radix->separator || text.data[at - 1] == radix->separator))
            hit.prefix = node->key;
        if (node->exact && ends)
            hit.exact = node->key;
    }
    return hit;
}
