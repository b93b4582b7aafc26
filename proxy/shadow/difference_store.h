/*
 * Where mismatches are kept, as the compare thread sees it: an interface, implemented in control.
 * Secrets are gone from all texts before they come here.
 */
#ifndef SHADOW_DIFFERENCE_STORE_H
#define SHADOW_DIFFERENCE_STORE_H

#include "proxy/compare/difference.h"

/* What mismatches are grouped by. */
struct difference_group {
    struct strview module;
    struct strview path_template;
    struct strview field;
    enum difference_kind kind;
};

/* One answer as it may be shown. */
struct difference_side {
    int status;
    struct strview head;    /* "name: value" lines */
    struct strview body;    /* cut to what an example may hold */
    struct strview excerpt; /* where it differs */
};

struct difference_example {
    struct difference_group group;
    struct strview route;
    struct strview method;
    struct strview path; /* query values redacted */
    struct strview request_id;
    uint64_t unix_ms;
    struct difference_side first;
    struct difference_side second;
};

struct difference_store {
    void *context;
    /* Counts the mismatch, and keeps the example if the group has room for it. */
    void (*record)(void *context, const struct difference_example *example);
    /* Has somebody said that this difference is wanted? */
    bool (*is_accepted)(void *context, const struct difference_group *group);
};

#endif
