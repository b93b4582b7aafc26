/* A compiled `rewrite`: a regex and what takes the place of its match. See route_rewrite_apply. */
#ifndef ROUTING_REWRITE_H
#define ROUTING_REWRITE_H

#include "proxy/routing/matcher.h"

/* NULL with the fault set. Lives in the arena, its regex in the list. */
const struct route_rewrite *rewrite_compile(const struct route_spec *spec, struct arena *arena,
                                            struct regex_list *regexes,
                                            struct route_fault *ret_fault);

#endif
