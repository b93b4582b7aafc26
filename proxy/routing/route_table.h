/*
 * All routes, compiled for lookup: a radix tree over exact paths and prefixes, a short list of
 * regexes without prefix. Immutable once built, reference-counted, any thread; each thread brings
 * its own match_scratch. The cost of a lookup does not grow with the number of exact and prefix
 * routes.
 *
 * Precedence: host (exact, wildcard, none), then exact path, longest prefix, regex without prefix;
 * then priority (higher first), then the number of conditions, then file order.
 */
#ifndef ROUTING_ROUTE_TABLE_H
#define ROUTING_ROUTE_TABLE_H

#include "proxy/core/arena.h"
#include "proxy/routing/route.h"

struct route_table;
struct route_table_builder;
struct match_scratch; /* PCRE2 match data and limits of one thread */

struct match_scratch *match_scratch_new(void);
void match_scratch_free(struct match_scratch *scratch);

struct route_table_builder *route_table_builder_new(void);
void route_table_builder_free(struct route_table_builder *builder); /* NULL is allowed */

/* Compiles one route (copies everything it keeps). False with *ret_fault set when it cannot be. */
bool route_table_builder_add(struct route_table_builder *builder, const struct route_spec *spec,
                             struct route_fault *ret_fault);

enum route_conflict_kind {
    ROUTE_IDENTICAL,   /* the same conditions */
    ROUTE_UNREACHABLE, /* the first takes everything that the second would */
    ROUTE_TIE,         /* some requests match both, and only file order decides */
};

/* Two routes, by spec index. */
struct route_conflict {
    uint32_t first;
    uint32_t second;
    enum route_conflict_kind kind;
};

/*
 * Conflicts among the added routes, at most `max`; returns how many were written. A tie is reported
 * only when some request could match both and precedence, priority and number of conditions agree.
 * That a route is unreachable is found where one other route is the cause.
 */
size_t route_table_builder_conflicts(struct route_table_builder *builder,
                                     struct route_conflict *conflicts, size_t max);

/* Takes and frees the builder. One reference. */
struct route_table *route_table_build_take(struct route_table_builder *builder);
struct route_table *route_table_ref(struct route_table *table);
void route_table_unref(struct route_table *table);

/* The route that takes the request, by its canonical path, or NULL. No allocation. */
const struct route *route_table_find(const struct route_table *table,
                                     const struct request_head *request,
                                     struct match_scratch *scratch);

/*
 * The guarded route (one with allow or deny) that refuses `client` because a folded form of the
 * path (path_folded, path_folded_literal) leads to it, or NULL. An unguarded route that takes the
 * canonical path and that form, and goes before the guarded one, is an exception to it. For
 * PATH_AMBIGUOUS only the folded forms count. NULL at once when the table has no guarded routes.
 */
const struct route *route_table_find_guard(const struct route_table *table,
                                           const struct request_head *request,
                                           const struct ip_address *client, struct arena *arena,
                                           struct match_scratch *scratch);

enum { ROUTE_REWRITTEN_BYTES_MAX = 64 * 1024 };

/*
 * The path to send for a route with a rewrite: arena memory, or `path` when the regex does not
 * match. False when the result would be too long or no canonical path, or when the match could not
 * be decided (the request is answered 400).
 */
bool route_rewrite_apply(const struct route *route, struct strview path, struct arena *arena,
                         struct match_scratch *scratch, struct strview *ret_path);

#endif
