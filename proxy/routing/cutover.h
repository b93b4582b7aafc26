/*
 * Which side serves one request of a module. Pure, any thread: the same inputs give the same
 * answer on every worker, replica and after every restart.
 */
#ifndef ROUTING_CUTOVER_H
#define ROUTING_CUTOVER_H

#include "proxy/routing/identity.h"
#include "proxy/routing/module_table.h"

struct cutover {
    enum side side;
    enum reason reason;
    bool has_bucket;
    uint32_t bucket; /* valid when has_bucket */
};

/* Reads: retired > abort > stage and percent. Writes: retired > freeze > write_owner. A
 * frozen module's write has no side: it waits. */
struct cutover cutover_decide(const struct module *module, bool is_write,
                              const struct identity *identity);

#endif
