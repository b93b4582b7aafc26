/*
 * States declared in one table: which may follow which. A change that the table does not name is a
 * fault of our own code and aborts.
 */
#ifndef CORE_STATE_MACHINE_H
#define CORE_STATE_MACHINE_H

#include <stdint.h>

struct state_row {
    const char *name;
    uint32_t next; /* bit set of states that may follow */
};

#define STATE_BIT(state) (1u << (unsigned)(state))

/* Returns `to`; aborts when the table (with `count` rows) does not allow it after `from`. */
unsigned state_change(const struct state_row *table, unsigned count, unsigned from, unsigned to);

#endif
