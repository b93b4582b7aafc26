/*
 * The lines of one worker on their way to the writer: a list of chunks. The worker fills the last
 * one, the writer empties the first one, and what it has emptied the worker fills again, the latest
 * first: while the writer keeps up a few chunks do, and they stay in the processor's cache. No
 * lock. Internal to observe/.
 */
#ifndef OBSERVE_ACCESS_LOG_RING_H
#define OBSERVE_ACCESS_LOG_RING_H

#include <stdatomic.h>

#include "proxy/observe/access_log_format.h"

struct log_chunk;

/* Positions are bytes since the start; they only grow. */
struct access_log_ring {
    /* The worker's; any thread may read what is atomic. */
    _Atomic uint64_t written;
    _Atomic uint64_t dropped;
    struct log_chunk *last;
    uint32_t last_bytes;
    uint32_t touched; /* chunks that have ever been used */
    struct access_log_second second;
    char padding[64]; /* different cache lines */
    /* The writer's. */
    uint64_t taken;
    struct log_chunk *first;
    /* Of both. */
    struct log_chunk *_Atomic empty; /* the top of a stack */
    _Atomic uint64_t mark;           /* `written` when the log last moved */
    struct log_chunk *chunks;
};

struct access_log_ring *log_ring_new(void);
void log_ring_free(struct access_log_ring *ring);

/* The writer: what lies in one piece behind what was taken, up to the position `end`, which has
 * been read from the ring; whole lines, but for what was taken of the first. */
struct strview log_ring_look(struct access_log_ring *ring, uint64_t end);
void log_ring_take(struct access_log_ring *ring, size_t bytes);

#endif
