/*
 * Conditions of a route beyond its host and path text. Each kind is a matcher: one file match_x.c
 * and one row in the table of matcher.c. A compiled condition is immutable, any thread.
 */
#ifndef ROUTING_MATCHER_H
#define ROUTING_MATCHER_H

#include "proxy/core/arena.h"
#include "proxy/routing/regex.h"
#include "proxy/routing/route.h"

enum { MATCH_VALUE_BYTES_MAX = 4096 };

/* What conditions look at. */
struct match_subject {
    const struct request_head *request;
    struct strview path; /* canonical, or one of its folded forms */
    bool folded;
    struct match_scratch *scratch;
};

struct matcher;

struct condition {
    const struct matcher *matcher;
    uint32_t methods; /* bit set over enum http_method */
    enum test_kind kind;
    struct strview name;
    struct strview value;               /* text, or the source of `regex` */
    const struct route_regex *regex;    /* for TEST_REGEX */
    const struct route_regex *caseless; /* the same for folded paths; NULL: `regex` serves */
};

/* The regexes of a table, so that they can be freed. */
struct regex_list {
    struct route_regex **items;
    size_t count;
    size_t capacity;
};

/* Where compiled conditions go. */
struct condition_builder {
    struct arena *arena;
    struct regex_list *regexes;
    struct condition *conditions;
    uint32_t count;
    uint32_t room;
    struct route_fault *fault;
};

struct matcher {
    /* Adds the conditions that `spec` asks for. False with the fault set when one is malformed. */
    bool (*compile)(struct condition_builder *builder, const struct matcher *matcher,
                    const struct route_spec *spec);
    enum match_result (*matches)(const struct condition *condition,
                                 const struct match_subject *subject);
    /* Is there no request that satisfies both? May be NULL: there may always be one. */
    bool (*excludes)(const struct condition *a, const struct condition *b);
};

extern const struct matcher match_method;
extern const struct matcher match_path_regex;
extern const struct matcher match_header;
extern const struct matcher match_query;
extern const struct matcher match_cookie;

/* Compiles, sorts and makes unique the conditions of `spec` into `builder`. */
bool conditions_compile(struct condition_builder *builder, const struct route_spec *spec);

/* A total order, equal only for conditions that mean the same. */
int condition_compare(const struct condition *a, const struct condition *b);

/* Is there no request that satisfies both, as far as one can tell? */
bool condition_excludes(const struct condition *a, const struct condition *b);

/* For the matchers: the address of a new condition, until the next one is added. */
struct condition *condition_add(struct condition_builder *builder, const struct matcher *matcher);

/* Compiles into the table's list; NULL with the builder's fault set (its part is the caller's). */
const struct route_regex *condition_regex(struct condition_builder *builder, struct strview pattern,
                                          bool ignore_case);

/* The name and value tests of a list, each a condition of `matcher`. */
bool value_tests_compile(struct condition_builder *builder, const struct matcher *matcher,
                         const struct value_test_list *list, enum route_part part);

/* One value against a test. */
enum match_result value_test(const struct condition *condition, struct strview value,
                             struct match_scratch *scratch);

/* Two tests for different values of the same name. */
bool value_tests_exclude(const struct condition *a, const struct condition *b);

#endif
