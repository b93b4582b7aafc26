/*
 * Bytes on their way out: a first-in first-out list of slices of shared buffers. Large pieces are
 * referenced, small ones are copied together, so that what a queue pins stays within a small factor
 * of what it counts. The owner bounds `bytes`, by the credit it grants; the queue only counts.
 * One thread.
 */
#ifndef CORE_BYTE_QUEUE_H
#define CORE_BYTE_QUEUE_H

#include <stddef.h>
#include <sys/uio.h>

#include "proxy/core/buffer.h"

/* Pieces below this are copied, from it on they are referenced. */
enum { BYTE_QUEUE_SHARE_BYTES = 4096, BYTE_QUEUE_FIRST_SLICES = 2 };

/*
 * So many bytes before those that are referenced belong to nobody any more when these leave: room
 * that the reader left free, framing that has been understood, or bytes of the same flow that have
 * left. The head of an HTTP/2 frame fits.
 */
enum { BYTE_QUEUE_JOIN_BYTES = 9 };

struct byte_slice {
    struct buffer *buffer;
    const char *data;
    size_t length;
};

struct byte_queue {
    struct buffer_pool *pool;
    struct byte_slice *slices; /* ring: `first`, or memory of its own */
    size_t capacity;           /* power of two */
    size_t head;
    size_t count;
    size_t bytes;
    struct byte_slice first[BYTE_QUEUE_FIRST_SLICES]; /* enough for most: no allocation */
};

/* The queue stays where it is: it points into itself. */
void byte_queue_init(struct byte_queue *queue, struct buffer_pool *pool);
void byte_queue_done(struct byte_queue *queue);

/* Drops the content, keeps the queue usable. */
void byte_queue_clear(struct byte_queue *queue);

/* Appends a copy. */
void byte_queue_append(struct byte_queue *queue, const void *data, size_t length);

/* Appends bytes that lie inside `source`: by reference when they are many, else as a copy. `source`
 * NULL means that the bytes are borrowed from elsewhere and have to be copied. */
void byte_queue_append_slice(struct byte_queue *queue, struct buffer *source, const void *data,
                             size_t length);

/*
 * At least `length` contiguous writable bytes at the end (length <= BUFFER_BYTES);
 * byte_queue_commit makes the first `length` of them part of the queue.
 */
char *byte_queue_reserve(struct byte_queue *queue, size_t length);
void byte_queue_commit(struct byte_queue *queue, size_t length);

/* Moves the first `length` bytes (at most what is there) of `from` to the end of `to`. */
void byte_queue_move(struct byte_queue *to, struct byte_queue *from, size_t length);

/* A short first slice before a long one is put right in front of it, where there is room. */
void byte_queue_join(struct byte_queue *queue);

/* How long the first slice is; how long the last one is if bytes are copied together there. */
size_t byte_queue_first_length(const struct byte_queue *queue);
size_t byte_queue_small_end(const struct byte_queue *queue);

/* Fills up to `max` vectors from the front; returns how many. */
int byte_queue_peek(const struct byte_queue *queue, struct iovec *vectors, int max);

/* Copies up to `length` bytes from the front without taking them; returns how many. */
size_t byte_queue_copy_out(const struct byte_queue *queue, void *to, size_t length);

/* Removes `length` bytes (at most what is there) from the front. */
void byte_queue_consume(struct byte_queue *queue, size_t length);

#endif
