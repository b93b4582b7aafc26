#include "proxy/backend/withdrawn.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* Long for a request, short for a person who looks for something, letter by letter. */
enum { PERIOD_MS = 5000 };

struct withdrawn *withdrawn_new(void)
{
    struct withdrawn *withdrawn = memory_zalloc(sizeof(*withdrawn));
    withdrawn->holders = 1;
    return withdrawn;
}

struct withdrawn *withdrawn_ref(struct withdrawn *withdrawn)
{
    withdrawn->holders++;
    return withdrawn;
}

void withdrawn_unref(struct withdrawn *withdrawn)
{
    if (--withdrawn->holders == 0)
        free(withdrawn);
}

static void forget_old(struct withdrawn *withdrawn, uint64_t now_ms)
{
    uint64_t period = now_ms / PERIOD_MS;
    if (period == withdrawn->period)
        return;
    withdrawn->previous = period == withdrawn->period + 1 ? withdrawn->recent : 0;
    withdrawn->recent = 0;
    withdrawn->period = period;
}

void withdrawn_note(struct withdrawn *withdrawn, uint64_t now_ms)
{
    forget_old(withdrawn, now_ms);
    withdrawn->recent++;
}

uint32_t withdrawn_count(struct withdrawn *withdrawn, uint64_t now_ms)
{
    if (withdrawn->recent + withdrawn->previous > 0)
        forget_old(withdrawn, now_ms);
    return withdrawn->awaited + withdrawn->recent + withdrawn->previous;
}
