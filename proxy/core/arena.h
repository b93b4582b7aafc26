/*
 * Memory that lives as long as one exchange (or one compilation): allocate, never free singly,
 * drop all at once. Chunks come from and return to an arena_pool, so that a worker in its steady
 * state asks the system for nothing. An arena and its pool belong to one thread.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

#include "proxy/core/strview.h"

enum { ARENA_CHUNK_BYTES = 4096 };

struct arena_chunk;

/* Free chunks kept for reuse, at most `kept_max` of them. */
struct arena_pool {
    struct arena_chunk *free;
    size_t kept;
    size_t kept_max;
};

struct arena {
    struct arena_pool *pool; /* NULL: chunks come from and go to malloc */
    struct arena_chunk *chunks;
    char *next;
    char *end;
    size_t bytes; /* handed out so far, without padding between chunks */
};

void arena_pool_init(struct arena_pool *pool, size_t kept_max);
void arena_pool_done(struct arena_pool *pool);

/* `pool` may be NULL and has to outlive the arena. */
void arena_init(struct arena *arena, struct arena_pool *pool);
void arena_done(struct arena *arena);

/* What arena_alloc does when the chunk in use has no room. */
void *arena_alloc_chunk(struct arena *arena, size_t bytes);

/*
 * Uninitialised bytes aligned for any type. Never NULL (core/array.h), and callers cap what
 * strangers can ask for before they call. A request above a chunk gets a chunk of its own.
 */
static inline void *arena_alloc(struct arena *arena, size_t bytes)
{
    const size_t align = _Alignof(max_align_t);
    size_t taken = (bytes + align - 1) & ~(align - 1);
    char *memory = arena->next;
    /* Not for zero bytes, which have an address of their own, nor when the sum went over. */
    if (taken - 1 >= (size_t)(arena->end - memory))
        return arena_alloc_chunk(arena, bytes);
    arena->next = memory + taken;
    arena->bytes += taken;
    return memory;
}

/* The same, set to zero. */
void *arena_zalloc(struct arena *arena, size_t bytes);

/* Copies the bytes and adds a terminator after the view's end. */
struct strview arena_copy(struct arena *arena, struct strview view);

/* The same in lower case (ASCII). */
struct strview arena_copy_lower(struct arena *arena, struct strview view);

/* Many at once, in one piece and without terminators; each view becomes that of its copy. */
void arena_copy_all(struct arena *arena, struct strview *const *views, size_t count);

/* printf into the arena; the result has a terminator after its end. */
struct strview arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
