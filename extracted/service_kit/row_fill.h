/*
 * Fills a service that has nothing yet with the rows that the monolith has now, whoever owns their
 * writes. Its feeds tell of its own writes only: once the ownership has moved, they are not the
 * whole of it. Main thread, blocking, at start.
 */
#ifndef SERVICE_KIT_ROW_FILL_H
#define SERVICE_KIT_ROW_FILL_H

#include "extracted/service_kit/backfill.h"

/* What the monolith says of the aggregate that this service may own. */
struct row_fill {
    bool is_ours; /* by that, this side owned it when its rows were lost */
    int64_t epoch;
};

/* Inside a transaction: all rows, the cursors from which on the feeds of both sides tell what comes
 * after, and the epoch. This side does not own: the monolith may not have heard of its last writes.
 * Absent: the monolith offers no rows; roll back, as after a fault. */
enum backfill_outcome row_fill_run(struct backfill *backfill, struct row_fill *ret_fill);

#endif
