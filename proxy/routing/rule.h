/*
 * A route as the table holds it: the public part, and what is tested. Immutable once compiled, in
 * the table's arena, any thread.
 */
#ifndef ROUTING_RULE_H
#define ROUTING_RULE_H

#include "proxy/routing/matcher.h"

enum { ROUTE_PATH_BYTES_MAX = 2048, ROUTE_HOST_BYTES_MAX = 255 };

enum path_match {
    PATH_MATCH_ANY, /* at most a regex */
    PATH_MATCH_EXACT,
    PATH_MATCH_PREFIX,
};

struct rule {
    struct route route;
    struct strview host; /* lower case; empty: any; "*." and the rest: wildcard */
    struct strview path; /* canonical; empty for PATH_MATCH_ANY */
    enum path_match path_match;
    bool ignore_case;
    int priority;
    uint32_t order;
    uint32_t condition_count;
    const struct condition *conditions;
};

/* Compiles `spec` into `arena` and `regexes`; NULL with the fault set. */
struct rule *rule_compile(const struct route_spec *spec, struct arena *arena,
                          struct regex_list *regexes, struct route_fault *ret_fault);

/* Does the rule, found in an index by host and path text, take the request? */
bool rule_matches(const struct rule *rule, const struct match_subject *subject);

/* Negative when `a` goes first among rules of one host and path; never 0 for different rules. */
int rule_compare(const struct rule *a, const struct rule *b);

/* Does `a` go before `b` for a request that both take? The whole precedence. */
bool rule_precedes(const struct rule *a, const struct rule *b);

/* Is `path` what the text of an exact (whole) or prefix (whole segments) rule asks for? */
bool path_text_matches(enum path_match match, struct strview text, struct strview path);

static inline const struct rule *rule_of_route(const struct route *route)
{
    return (const struct rule *)(const void *)route;
}

#endif
