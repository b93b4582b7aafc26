/*
 * The host names among the endpoints: what they mean, asked again when it expires. Each address of
 * a name is an endpoint; when they change, the backends of the snapshot in force get other sets of
 * endpoints, and no request waits or notices. Control thread.
 */
#ifndef CONTROL_NAMES_H
#define CONTROL_NAMES_H

#include "proxy/config/snapshot.h"

struct names;

struct names_options {
    struct loop *loop;
    struct endpoint_registry *registry;
    /* Endpoints of the snapshot in force have changed: tells workers, and returns when none of them
     * looks at what was before. */
    void (*on_change)(void *context);
    void *context;
};

struct names *names_new(const struct names_options *options);
void names_free(struct names *names); /* NULL is allowed */

/* Before a snapshot with other backends is published: gives its backends the addresses that are
 * known already. */
void names_fill(struct names *names, struct snapshot *snapshot); /* NULL is allowed */

/* It is in force: asks for what is not known yet. Takes a reference of its own. NULL is allowed. */
void names_publish(struct names *names, struct snapshot *snapshot);

#endif
