#include "proxy/core/buffer.h"

#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

void buffer_pool_init(struct buffer_pool *pool, size_t kept_max)
{
    *pool = (struct buffer_pool){.kept_max = kept_max};
}

void buffer_pool_done(struct buffer_pool *pool)
{
    CHECK(pool->live == 0);
    while (pool->free != NULL) {
        struct buffer *buffer = pool->free;
        pool->free = buffer->next;
        free(buffer);
    }
    pool->kept = 0;
}

struct buffer *buffer_new(struct buffer_pool *pool)
{
    struct buffer *buffer = pool->free;
    if (buffer != NULL) {
        pool->free = buffer->next;
        pool->kept--;
    } else {
        buffer = memory_alloc(sizeof(*buffer));
        buffer->pool = pool;
    }
    buffer->next = NULL;
    buffer->references = 1;
    buffer->used = 0;
    pool->live++;
    return buffer;
}

void buffer_unref(struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    CHECK(buffer->references > 0);
    if (--buffer->references > 0)
        return;
    struct buffer_pool *pool = buffer->pool;
    pool->live--;
    if (pool->kept >= pool->kept_max) {
        free(buffer);
        return;
    }
    buffer->next = pool->free;
    pool->free = buffer;
    pool->kept++;
}
