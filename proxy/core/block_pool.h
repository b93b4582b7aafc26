/*
 * Pieces of memory that come and go with requests, for a library that frees each one by itself:
 * what was freed is kept in a list a size, and the next of that size is taken from there. A pool
 * and its pieces belong to one thread.
 */
#ifndef CORE_BLOCK_POOL_H
#define CORE_BLOCK_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Sizes are rounded up to steps; larger pieces come from and go to malloc. */
enum { BLOCK_STEP_BYTES = 32, BLOCK_SIZES = 32, BLOCK_BYTES_MAX = BLOCK_STEP_BYTES * BLOCK_SIZES };

struct block;

struct block_pool {
    struct block *free[BLOCK_SIZES + 1]; /* by steps */
    size_t kept_bytes;
    size_t kept_bytes_max; /* what is freed beyond this goes back to the system */
};

void block_pool_init(struct block_pool *pool, size_t kept_bytes_max);

/* Pieces that are still in use may be freed no more. */
void block_pool_done(struct block_pool *pool);

/*
 * Aligned for any type; NULL only for absurd sizes: with memory out, the reserve and then the end
 * (core/array.h), since the library (nghttp2 1.52) frees twice what it could not finish to make.
 * Zero bytes have an address, too.
 */
void *block_alloc(struct block_pool *pool, size_t bytes);
void *block_zalloc(struct block_pool *pool, size_t bytes);

/* As realloc: NULL is a new piece, and the old one stays as it was when the result is NULL. */
void *block_realloc(struct block_pool *pool, void *memory, size_t bytes);

/* NULL is allowed. */
void block_free(struct block_pool *pool, void *memory);

#endif
