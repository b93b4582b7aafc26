/*
 * Reference-counted byte buffers of one size. Bytes are read from a socket into a buffer once, and
 * everything after that holds slices of it, until they are written to another socket. A pool and
 * its buffers belong to one thread, so counts are plain integers.
 */
#ifndef CORE_BUFFER_H
#define CORE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum { BUFFER_BYTES = 32 * 1024 };

struct buffer_pool;

struct buffer {
    struct buffer_pool *pool;
    struct buffer *next; /* in the pool's free list */
    uint32_t references;
    uint32_t used; /* bytes filled; whoever holds the only reference, or appends, may fill more */
    char bytes[BUFFER_BYTES];
};

struct buffer_pool {
    struct buffer *free;
    size_t kept;
    size_t kept_max; /* free buffers beyond this go back to the system */
    size_t live;     /* buffers with a reference */
};

void buffer_pool_init(struct buffer_pool *pool, size_t kept_max);

/* All buffers have to be back. */
void buffer_pool_done(struct buffer_pool *pool);

/* A buffer with one reference and used = 0. Never NULL. */
struct buffer *buffer_new(struct buffer_pool *pool);

static inline struct buffer *buffer_ref(struct buffer *buffer)
{
    buffer->references++;
    return buffer;
}

/* NULL is allowed. */
void buffer_unref(struct buffer *buffer);

#endif
