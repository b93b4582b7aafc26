/*
 * A path without what is particular to one request, so that differences of many can be grouped:
 * "/api/users/17/posts" is "/api/users/{id}/posts". Pure.
 */
#ifndef COMPARE_PATH_TEMPLATE_H
#define COMPARE_PATH_TEMPLATE_H

#include "proxy/core/arena.h"

enum { PATH_TEMPLATE_BYTES = 200 };

/*
 * Segments of digits become {id}, UUIDs {uuid}, other long mixtures of digits and letters {key}. At
 * most PATH_TEMPLATE_BYTES long; more ends in "…". In the arena, or a view of `path`.
 */
struct strview path_template_of(struct arena *arena, struct strview path);

#endif
