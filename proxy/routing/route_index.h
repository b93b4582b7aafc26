/*
 * Rules by host and path text: a radix tree over reversed host names, and below each host one over
 * paths, both ignoring case. Immutable once built, in the table's arena, any thread.
 */
#ifndef ROUTING_ROUTE_INDEX_H
#define ROUTING_ROUTE_INDEX_H

#include "proxy/routing/radix.h"
#include "proxy/routing/rule.h"

/* In order of precedence. */
struct rule_list {
    const struct rule *const *items;
    uint32_t count;
};

/* The rules of one path text. */
struct path_rules {
    struct rule_list exact;
    struct rule_list prefix;
};

/* The rules of one host. */
struct host_rules {
    struct radix paths;
    const struct path_rules *by_path; /* by the tree's key numbers */
    struct rule_list any_path;
};

struct route_index {
    struct radix hosts;
    const struct host_rules *by_host; /* by the tree's key numbers */
    struct host_rules any_host;
};

/* `folded`: by the folded form of their paths, for guards. */
void route_index_build(struct route_index *index, struct arena *arena,
                       const struct rule *const *rules, uint32_t count, bool folded);

/* The first rule in precedence that takes the request, or NULL. No allocation. */
const struct rule *route_index_find(const struct route_index *index,
                                    const struct match_subject *subject);

#endif
