/* Numbers as people write them on a command line. Pure. */
#ifndef CLI_QUANTITY_H
#define CLI_QUANTITY_H

#include "proxy/core/strview.h"

/* "250ms", "15s", "10m", "2h", "7d" */
bool quantity_duration(struct strview text, uint64_t *ret_ms);

/* "25", "2.5", "25%": at most four decimals, 0 … 100; in ten-thousandths. */
bool quantity_percent(struct strview text, uint32_t *ret_threshold);

#endif
