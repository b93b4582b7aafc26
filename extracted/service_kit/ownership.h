/*
 * Who takes the writes of a service's aggregate, and since which epoch. Stored, so that it
 * survives everything; read inside the transaction of a write, so that none slips past a change.
 * The loop's thread.
 */
#ifndef SERVICE_KIT_OWNERSHIP_H
#define SERVICE_KIT_OWNERSHIP_H

#include "extracted/service_kit/body_text.h"
#include "extracted/service_kit/database.h"

struct ownership {
    bool is_ours; /* "extracted"; else "legacy" */
    int64_t epoch;
};

enum ownership_change {
    OWNERSHIP_CHANGED,
    OWNERSHIP_SAME,
    OWNERSHIP_LATE, /* a lower epoch, or the same one with another owner */
};

/* Reads it; on the first time the other side owns, in epoch 1. False: logged. */
bool ownership_read(struct database *database, const char *aggregate, struct ownership *ret_own);

/* False: logged. */
bool ownership_write(struct database *database, const char *aggregate,
                     const struct ownership *ownership);

/* What `wanted` is after `current`. Pure. */
enum ownership_change ownership_compare(const struct ownership *current,
                                        const struct ownership *wanted);

const char *ownership_name(const struct ownership *ownership);

/* "legacy" or "extracted". False: neither. */
bool ownership_parse(const char *owner, bool *ret_is_ours);

/* "Writes to … belong to the … side since epoch N." */
void ownership_add_sentence(struct body_text *out, const char *aggregate,
                            const struct ownership *ownership);

/* "aggregate":…,"owner":…,"epoch":… */
void ownership_add_members(struct body_text *out, const char *aggregate,
                           const struct ownership *ownership);

#endif
