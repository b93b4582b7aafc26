#include "proxy/observe/access_log_ring.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* 8 MiB a worker, touched only as far as the writer falls behind. */
enum { CHUNK_BYTES = 64 * 1024, CHUNKS = 128 };

struct log_chunk {
    uint64_t start;                 /* the position of its first byte */
    struct log_chunk *_Atomic next; /* NULL: this is the last one */
    struct log_chunk *below;        /* in the stack of empty ones */
    char bytes[CHUNK_BYTES];
};

struct access_log_ring *log_ring_new(void)
{
    struct access_log_ring *ring = memory_zalloc(sizeof(*ring));
    ring->chunks = memory_zalloc(CHUNKS * sizeof(*ring->chunks));
    ring->first = ring->last = ring->chunks;
    ring->touched = 1;
    return ring;
}

void log_ring_free(struct access_log_ring *ring)
{
    free(ring->chunks);
    free(ring);
}

/* --- the worker ---------------------------------------------------------------------------- */

/* NULL: all are full. Nobody else takes from the stack, so what is below its top stays there. */
static struct log_chunk *take_empty(struct access_log_ring *ring)
{
    struct log_chunk *top = atomic_load_explicit(&ring->empty, memory_order_acquire);
    while (top != NULL &&
           !atomic_compare_exchange_weak_explicit(&ring->empty, &top, top->below,
                                                  memory_order_acquire, memory_order_acquire))
        ;
    if (top == NULL && ring->touched < CHUNKS)
        top = &ring->chunks[ring->touched++];
    return top;
}

static bool begin_chunk(struct access_log_ring *ring)
{
    struct log_chunk *chunk = take_empty(ring);
    if (chunk == NULL)
        return false;
    chunk->start = atomic_load_explicit(&ring->written, memory_order_relaxed);
    atomic_store_explicit(&chunk->next, NULL, memory_order_relaxed);
    atomic_store_explicit(&ring->last->next, chunk, memory_order_release);
    ring->last = chunk;
    ring->last_bytes = 0;
    return true;
}

void access_log_write(struct access_log_ring *ring, enum access_log_format format,
                      const struct access_log_entry *entry)
{
    if (CHUNK_BYTES - ring->last_bytes < ACCESS_LOG_LINE_BYTES && !begin_chunk(ring)) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    char *line = ring->last->bytes + ring->last_bytes;
    size_t length = access_log_format_line(&ring->second, format, entry, line);
    ring->last_bytes += (uint32_t)length;
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    atomic_store_explicit(&ring->written, written + length, memory_order_release);
}

/* --- the writer ---------------------------------------------------------------------------- */

static void give_empty(struct access_log_ring *ring, struct log_chunk *chunk)
{
    struct log_chunk *top = atomic_load_explicit(&ring->empty, memory_order_relaxed);
    do {
        chunk->below = top;
    } while (!atomic_compare_exchange_weak_explicit(&ring->empty, &top, chunk, memory_order_release,
                                                    memory_order_relaxed));
}

struct strview log_ring_look(struct access_log_ring *ring, uint64_t end)
{
    if (ring->taken >= end)
        return STRVIEW_NONE;
    struct log_chunk *chunk = ring->first;
    struct log_chunk *next = atomic_load_explicit(&chunk->next, memory_order_acquire);
    if (next != NULL && ring->taken == next->start) {
        ring->first = next;
        give_empty(ring, chunk);
        chunk = next;
        next = atomic_load_explicit(&chunk->next, memory_order_acquire);
    }
    uint64_t chunk_end = next != NULL && next->start < end ? next->start : end;
    return strview_make(chunk->bytes + (ring->taken - chunk->start),
                        (size_t)(chunk_end - ring->taken));
}

void log_ring_take(struct access_log_ring *ring, size_t bytes)
{
    ring->taken += bytes;
}
