/* What the live state adds to /metrics: gauges of each module. Control thread. */
#ifndef CONTROL_LIVE_METRICS_H
#define CONTROL_LIVE_METRICS_H

#include <stdio.h>

#include "proxy/control/live_state.h"

void live_metrics_write(const struct live_state *state, FILE *out);

#endif
