/* The host names from inside: shared by names.c (asking) and names_sets.c (what the answers mean).
 */
#ifndef CONTROL_NAMES_INTERNAL_H
#define CONTROL_NAMES_INTERNAL_H

#include "proxy/control/names.h"
#include "proxy/net/resolver.h"

struct name {
    struct names *names;
    struct strview host; /* terminated */
    struct ip_address *addresses;
    uint32_t count;
    bool more;       /* it has more addresses than these */
    bool told_more;  /* that some of them are left out */
    uint64_t due_ms; /* when it is asked again */
    bool wanted;     /* by the snapshot in force */
    bool asked;      /* a question is open */
    bool answered;   /* for the first time, yes or no */
    bool failing;
};

struct name_list {
    struct name **items;
    size_t count;
    size_t capacity;
};

struct names {
    struct names_options options;
    struct resolver *resolver; /* NULL until it is needed */
    struct address server;     /* that it asks */
    struct snapshot *snapshot; /* in force; NULL before the first */
    struct name_list list;
    struct task apply;
    struct deadline next;
    bool told_too_many;
};

/* NULL when nobody has wanted it yet. */
struct name *names_find(const struct names *names, struct strview host);

/* --- names_sets.c -------------------------------------------------------------------------- */

/* The snapshot in force gets other sets of endpoints where the names mean something else now. */
void names_apply(struct names *names);

#endif
