/*
 * A JSON text (RFC 8259) as a flat tree, for comparison: numbers stay text, members are sorted,
 * nothing is rounded. What is ambiguous or too large is a fault, never a guess. The tree views the
 * text and lies in the caller's arena. Any thread.
 */
#ifndef COMPARE_JSON_TREE_H
#define COMPARE_JSON_TREE_H

#include "proxy/core/arena.h"

enum { JSON_DEPTH_MAX = 64, JSON_NODES_MAX = 200000 };

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node {
    enum json_kind kind;
    uint32_t end;           /* the index after the last node below this one */
    uint32_t count;         /* of elements or members */
    struct strview name;    /* of a member, decoded */
    struct strview text;    /* a string decoded; a number, true, false, null as written */
    struct strview written; /* a string as it stands between its quotes */
    const uint32_t *sorted; /* an object's members by name; an array's elements as they stand */
};

/* Nodes in the order of the text: the first is the whole, what is below a node follows it. */
struct json_tree {
    const struct json_node *nodes;
    uint32_t count;
};

/* Returns NULL, or in words of a static text why it is no tree to compare. */
const char *json_tree_read(struct arena *arena, struct strview text, struct json_tree *ret_tree);

/*
 * A number's digits without zeros at either end, in two pieces, and the exponent of the last one:
 * so 1.0, 1 and 10e-1 are equal, and 9007199254740993 is not 9007199254740992. Views the text.
 */
struct json_number {
    bool negative;
    struct strview whole;
    struct strview fraction;
    int64_t exponent;
};

/* `text` as the tree has it. False for an exponent of more than nine digits. */
bool json_number_read(struct strview text, struct json_number *ret_number);
bool json_number_equal(const struct json_number *first, const struct json_number *second);

/* Equal for equal numbers. */
uint64_t json_number_hash(const struct json_number *number);

extern const char json_number_too_large[];

#endif
