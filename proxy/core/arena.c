#include "proxy/core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes; /* of `data` */
    _Alignas(max_align_t) char data[];
};

enum { CHUNK_DATA_BYTES = ARENA_CHUNK_BYTES - sizeof(struct arena_chunk) };

void arena_pool_init(struct arena_pool *pool, size_t kept_max)
{
    pool->free = NULL;
    pool->kept = 0;
    pool->kept_max = kept_max;
}

void arena_pool_done(struct arena_pool *pool)
{
    while (pool->free != NULL) {
        struct arena_chunk *chunk = pool->free;
        pool->free = chunk->next;
        free(chunk);
    }
    pool->kept = 0;
}

static struct arena_chunk *chunk_new(struct arena_pool *pool, size_t bytes)
{
    if (bytes <= CHUNK_DATA_BYTES) {
        bytes = CHUNK_DATA_BYTES;
        if (pool != NULL && pool->free != NULL) {
            struct arena_chunk *chunk = pool->free;
            pool->free = chunk->next;
            pool->kept--;
            return chunk;
        }
    }
    struct arena_chunk *chunk = memory_alloc(sizeof(*chunk) + bytes);
    chunk->bytes = bytes;
    return chunk;
}

static void chunk_free(struct arena_pool *pool, struct arena_chunk *chunk)
{
    if (pool != NULL && chunk->bytes == CHUNK_DATA_BYTES && pool->kept < pool->kept_max) {
        chunk->next = pool->free;
        pool->free = chunk;
        pool->kept++;
        return;
    }
    free(chunk);
}

void arena_init(struct arena *arena, struct arena_pool *pool)
{
    *arena = (struct arena){.pool = pool};
}

void arena_done(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        chunk_free(arena->pool, chunk);
    }
    arena_init(arena, arena->pool);
}

void *arena_alloc_chunk(struct arena *arena, size_t bytes)
{
    const size_t align = _Alignof(max_align_t);
    CHECK(bytes < SIZE_MAX / 2);
    if (bytes == 0)
        return arena_alloc(arena, 1); /* so that the result is never NULL */
    bytes = (bytes + align - 1) & ~(align - 1);
    arena->bytes += bytes;
    struct arena_chunk *chunk = chunk_new(arena->pool, bytes);
    if (arena->chunks != NULL && bytes > CHUNK_DATA_BYTES / 2) {
        /* A large piece has a chunk to itself, so that the rest of the current one is not lost. */
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
        return chunk->data;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->data + bytes;
    arena->end = chunk->data + chunk->bytes;
    return chunk->data;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    void *memory = arena_alloc(arena, bytes);
    memset(memory, 0, bytes);
    return memory;
}

struct strview arena_copy(struct arena *arena, struct strview view)
{
    char *copy = arena_alloc(arena, view.length + 1);
    if (view.length > 0)
        memcpy(copy, view.data, view.length);
    copy[view.length] = '\0';
    return strview_make(copy, view.length);
}

struct strview arena_copy_lower(struct arena *arena, struct strview view)
{
    char *bytes = arena_alloc(arena, view.length + 1);
    ascii_lower_copy(bytes, view.data, view.length);
    bytes[view.length] = '\0';
    return strview_make(bytes, view.length);
}

void arena_copy_all(struct arena *arena, struct strview *const *views, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += views[i]->length;
    char *at = arena_alloc(arena, bytes);
    for (size_t i = 0; i < count; i++) {
        if (views[i]->length > 0)
            memcpy(at, views[i]->data, views[i]->length);
        views[i]->data = at;
        at += views[i]->length;
    }
}

struct strview arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return strview_make(text, (size_t)length);
}
