/* Metrics in the Prometheus text format, version 0.0.4. Control thread. */
#ifndef OBSERVE_METRICS_TEXT_H
#define OBSERVE_METRICS_TEXT_H

#include <stdio.h>

#include "proxy/observe/metrics.h"

/* All families with something counted, summed over the shards. */
void metrics_text_write(const struct metrics_registry *registry,
                        struct metrics_shard *const *shards, uint32_t shard_count, FILE *out);

/* One family with one value: "# HELP", "# TYPE", the line. `labels` without braces, or empty. */
void metrics_text_gauge(FILE *out, const char *name, const char *help, const char *labels,
                        double value);

/* The same for a counter. */
void metrics_text_counter(FILE *out, const char *name, const char *help, uint64_t value);

/* process_* as Prometheus clients name them. */
void metrics_text_process(FILE *out);

#endif
