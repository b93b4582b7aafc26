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

/* What a request says about its side; SIDE_NONE: nothing that counts. */
struct cutover_facts {
    bool is_write;
    const struct identity *identity;
    enum side override;
    enum side pin;
};

/* A closed side serves no read: extracted before `ramp`, legacy in `retired`. */
bool cutover_is_closed(const struct module *module, enum side side);

/*
 * Reads: retired > abort > override > pin > stage and percent. Writes: retired > freeze >
 * override (only into a shared store, and not while the module is aborted) > write_owner. Neither
 * an override nor a pin leads to a closed side. A frozen module's write has no side: it waits.
 */
struct cutover cutover_decide(const struct module *module, const struct cutover_facts *facts);

#endif
