/*
 * Who takes the writes of an aggregate: stored, so that it survives everything. Read and changed
 * inside a transaction of the writer, so that no write slips past a change.
 */
#ifndef MONOLITH_OWNERSHIP_H
#define MONOLITH_OWNERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/text.h"

struct store;

struct ownership {
    enum aggregate aggregate;
    bool is_ours; /* "legacy"; else "extracted" */
    int64_t epoch;
};

/* False: the fault was logged. */
bool ownership_read(struct store *store, enum aggregate aggregate, struct ownership *ret_ownership);
bool ownership_write(struct store *store, const struct ownership *ownership);

const char *ownership_owner(const struct ownership *ownership);

/* "aggregate":…,"owner":…,"epoch":… */
void ownership_write_members(struct text *out, const struct ownership *ownership);

/* The same as a sentence, plain text. */
void ownership_describe(struct text *out, const struct ownership *ownership);

enum ownership_change { OWNERSHIP_CHANGED, OWNERSHIP_SAME, OWNERSHIP_REFUSED };

/* Whether `wanted` may follow `current`: a higher epoch may change anything, the same epoch
 * nothing, a lower one is late. Pure. */
enum ownership_change ownership_compare(const struct ownership *current,
                                        const struct ownership *wanted);

#endif
