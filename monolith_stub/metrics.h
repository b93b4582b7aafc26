/*
 * GET /metrics: how far the followed feeds are, and who owns what, as Prometheus text. Any thread.
 */
#ifndef MONOLITH_METRICS_H
#define MONOLITH_METRICS_H

#include "monolith_stub/route.h"

route_answer metrics_answer;

#endif
