#include "proxy/routing/radix.h"

struct radix_node {
    const char *rest; /* of the bytes that lead here, after the first, which chose the node */
    uint32_t rest_length;
    uint32_t key; /* RADIX_NONE: no key ends here */
    bool exact;
    bool prefix;
    uint8_t first;                /* byte that children[0] begins with */
    uint16_t span;                /* number of children, NULL for bytes that lead nowhere */
    struct radix_node **children; /* a letter's upper case leads where the letter does */
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

static struct radix_node *node_build(const struct build *build, uint32_t from, uint32_t to,
                                     size_t depth, uint32_t outer);

static char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* Children for keys from … to - 1, which share their first `depth` bytes and are longer. */
static void children_build(const struct build *build, struct radix_node *node, uint32_t from,
                           uint32_t to, size_t depth, uint32_t outer)
{
    unsigned first = UINT8_MAX;
    unsigned last = 0;
    for (uint32_t i = from; i < to; i = run_end(build, i, to, depth)) {
        unsigned lower = byte_at(&build->keys[i], depth);
        unsigned upper = (unsigned char)ascii_upper((char)lower);
        first = upper < first ? upper : first;
        last = lower > last ? lower : last;
    }
    node->first = (uint8_t)first;
    node->span = (uint16_t)(last - first + 1);
    node->children = arena_zalloc(build->arena, node->span * sizeof(struct radix_node *));
    while (from < to) {
        uint32_t end = run_end(build, from, to, depth);
        unsigned lower = byte_at(&build->keys[from], depth);
        struct radix_node *child = node_build(build, from, end, depth + 1, outer);
        node->children[lower - first] = child;
        node->children[(unsigned char)ascii_upper((char)lower) - first] = child;
        from = end;
    }
}

/*
 * The node for keys from … to - 1, which share their first `depth` bytes. `outer` is the nearest
 * prefix key above. Depth of recursion is bounded by the length of the keys.
 */
static struct radix_node *node_build(const struct build *build, uint32_t from, uint32_t to,
                                     size_t depth, uint32_t outer)
{
    struct radix_node *node = arena_zalloc(build->arena, sizeof(*node));
    const struct radix_key *key = &build->keys[from];
    node->key = RADIX_NONE;
    /* The root has nothing before it, so that a lookup starts with a choice among children. */
    if (depth > 0) {
        node->rest = key->text.data + depth;
        node->rest_length = (uint32_t)common_length(key, &build->keys[to - 1], depth);
        depth += node->rest_length;
    }
    if (key->text.length == depth) {
        node_set_key(build, node, from, outer);
        outer = node->prefix ? from : outer;
        from++;
    }
    if (from < to)
        children_build(build, node, from, to, depth, outer);
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

/* The child for the bytes at *text, which moves behind them, or NULL. There is one byte at least.
 */
static const struct radix_node *take_child(const struct radix_node *node, const char **text,
                                           const char *end)
{
    unsigned index = (unsigned)(unsigned char)**text - node->first;
    const struct radix_node *child = index < node->span ? node->children[index] : NULL;
    const char *at = *text + 1;
    if (child == NULL || end - at < (ptrdiff_t)child->rest_length)
        return NULL;
    const char *rest_end = child->rest + child->rest_length;
    for (const char *rest = child->rest; rest < rest_end; rest++, at++) {
        if (*at != *rest && ascii_lower(*at) != *rest)
            return NULL;
    }
    *text = at;
    return child;
}

struct radix_hit radix_find(const struct radix *radix, struct strview text)
{
    struct radix_hit hit = {RADIX_NONE, RADIX_NONE};
    const struct radix_node *node = radix->root;
    const char *at = text.data;
    const char *end = text.data + text.length;
    while (node != NULL && at < end && (node = take_child(node, &at, end)) != NULL) {
        if (node->key == RADIX_NONE)
            continue;
        if (node->prefix && (at == end || *at == radix->separator || at[-1] == radix->separator))
            hit.prefix = node->key;
        if (node->exact && at == end)
            hit.exact = node->key;
    }
    return hit;
}
