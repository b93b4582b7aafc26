/* What the micro-benchmarks share: arguments, the clock, and a sink that keeps results alive. */
#ifndef BENCH_MICRO_STOPWATCH_H
#define BENCH_MICRO_STOPWATCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/core/strview.h"

/* The number after `name` among the arguments, or `otherwise`; a malformed one ends the program. */
static inline uint64_t argument_number(int argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) != 0)
            continue;
        uint64_t value;
        if (i + 1 < argc && strview_to_u64(strview_of(argv[i + 1]), 1000000000, &value))
            return value;
        fprintf(stderr, "%s wants a number\n", name);
        exit(2);
    }
    return otherwise;
}

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void report(const char *what, uint64_t since_ns, uint64_t count, uint64_t sink)
{
    double each = count > 0 ? (double)(now_ns() - since_ns) / (double)count : 0;
    printf("%s: %.1f ns each (%llu times, checksum %llu)\n", what, each, (unsigned long long)count,
           (unsigned long long)sink);
}

#endif
