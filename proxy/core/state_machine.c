#include "proxy/core/state_machine.h"

#include "proxy/core/check.h"

unsigned state_change(const struct state_row *table, unsigned count, unsigned from, unsigned to)
{
    CHECK(from < count && to < count);
    CHECK(table[from].next & STATE_BIT(to));
    return to;
}
