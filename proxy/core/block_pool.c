#include "proxy/core/block_pool.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/core/array.h"

/* Stands in front of every piece. */
struct block {
    union {
        size_t steps;       /* in use: its size; 0: from malloc alone, of any size */
        struct block *next; /* free */
    };
    _Alignas(max_align_t) char data[];
};

/* What is kept hides faults from a sanitizer, which looks for uses of freed memory. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_NOTHING
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define KEEPS_NOTHING
#endif

void block_pool_init(struct block_pool *pool, size_t kept_bytes_max)
{
#ifdef KEEPS_NOTHING
    kept_bytes_max = 0;
#endif
    *pool = (struct block_pool){.kept_bytes_max = kept_bytes_max};
}

void block_pool_done(struct block_pool *pool)
{
    for (size_t steps = 0; steps <= BLOCK_SIZES; steps++) {
        while (pool->free[steps] != NULL) {
            struct block *block = pool->free[steps];
            pool->free[steps] = block->next;
            free(block);
        }
    }
    pool->kept_bytes = 0;
}

static struct block *block_of(void *memory)
{
    return (struct block *)(void *)((char *)memory - offsetof(struct block, data));
}

/* `bytes` is at most BLOCK_BYTES_MAX. */
static size_t steps_for(size_t bytes)
{
    return bytes == 0 ? 1 : (bytes + BLOCK_STEP_BYTES - 1) / BLOCK_STEP_BYTES;
}

static void *alloc_large(size_t bytes)
{
    struct block *block = bytes < SIZE_MAX / 2 ? memory_alloc(sizeof(*block) + bytes) : NULL;
    if (block == NULL)
        return NULL;
    block->steps = 0;
    return block->data;
}

void *block_alloc(struct block_pool *pool, size_t bytes)
{
    if (bytes > BLOCK_BYTES_MAX)
        return alloc_large(bytes);
    size_t steps = steps_for(bytes);
    struct block *block = pool->free[steps];
    if (block != NULL) {
        pool->free[steps] = block->next;
        pool->kept_bytes -= steps * BLOCK_STEP_BYTES;
    } else {
        block = memory_alloc(sizeof(*block) + steps * BLOCK_STEP_BYTES);
    }
    block->steps = steps;
    return block->data;
}

void *block_zalloc(struct block_pool *pool, size_t bytes)
{
    if (bytes > BLOCK_BYTES_MAX) {
        struct block *block = bytes < SIZE_MAX / 2 ? memory_zalloc(sizeof(*block) + bytes) : NULL;
        return block != NULL ? block->data : NULL;
    }
    void *memory = block_alloc(pool, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

void *block_realloc(struct block_pool *pool, void *memory, size_t bytes)
{
    if (memory == NULL)
        return block_alloc(pool, bytes);
    struct block *block = block_of(memory);
    if (block->steps == 0) { /* large, and stays so even when it becomes small */
        block = bytes < SIZE_MAX / 2 ? memory_realloc(block, sizeof(*block) + bytes) : NULL;
        return block != NULL ? block->data : NULL;
    }
    size_t room = block->steps * BLOCK_STEP_BYTES;
    if (bytes <= room)
        return memory;
    void *larger = block_alloc(pool, bytes);
    if (larger == NULL)
        return NULL;
    memcpy(larger, memory, room);
    block_free(pool, memory);
    return larger;
}

void block_free(struct block_pool *pool, void *memory)
{
    if (memory == NULL)
        return;
    struct block *block = block_of(memory);
    size_t steps = block->steps;
    size_t bytes = steps * BLOCK_STEP_BYTES;
    if (steps == 0 || pool->kept_bytes + bytes > pool->kept_bytes_max) {
        free(block);
        return;
    }
    block->next = pool->free[steps];
    pool->free[steps] = block;
    pool->kept_bytes += bytes;
}
