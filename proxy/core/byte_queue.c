#include "proxy/core/byte_queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

void byte_queue_init(struct byte_queue *queue, struct buffer_pool *pool)
{
    *queue = (struct byte_queue){.pool = pool, .capacity = BYTE_QUEUE_FIRST_SLICES};
    queue->slices = queue->first;
}

void byte_queue_done(struct byte_queue *queue)
{
    byte_queue_clear(queue);
    if (queue->slices != queue->first)
        free(queue->slices);
    queue->slices = queue->first;
    queue->capacity = BYTE_QUEUE_FIRST_SLICES;
}

static struct byte_slice *slice_at(const struct byte_queue *queue, size_t index)
{
    return &queue->slices[(queue->head + index) & (queue->capacity - 1)];
}

void byte_queue_clear(struct byte_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        buffer_unref(slice_at(queue, i)->buffer);
    queue->head = 0;
    queue->count = 0;
    queue->bytes = 0;
}

static void grow(struct byte_queue *queue)
{
    size_t capacity = queue->capacity * 2;
    struct byte_slice *slices = memory_alloc(capacity * sizeof(*slices));
    for (size_t i = 0; i < queue->count; i++)
        slices[i] = *slice_at(queue, i);
    if (queue->slices != queue->first)
        free(queue->slices);
    queue->slices = slices;
    queue->capacity = capacity;
    queue->head = 0;
}

/* Takes the caller's reference on `buffer`. */
static void push_take(struct byte_queue *queue, struct buffer *buffer, const char *data,
                      size_t length)
{
    if (queue->count == queue->capacity)
        grow(queue);
    *slice_at(queue, queue->count) = (struct byte_slice){buffer, data, length};
    queue->count++;
    queue->bytes += length;
}

/* The last slice, if bytes can be written directly behind it; else NULL. */
static struct byte_slice *open_tail(const struct byte_queue *queue)
{
    if (queue->count == 0)
        return NULL;
    struct byte_slice *tail = slice_at(queue, queue->count - 1);
    struct buffer *buffer = tail->buffer;
    bool ours =
        buffer->references == 1 && tail->data + tail->length == buffer->bytes + buffer->used;
    return ours && buffer->used < BUFFER_BYTES ? tail : NULL;
}

char *byte_queue_reserve(struct byte_queue *queue, size_t length)
{
    CHECK(length <= BUFFER_BYTES);
    struct byte_slice *tail = open_tail(queue);
    if (tail == NULL || BUFFER_BYTES - tail->buffer->used < length) {
        struct buffer *buffer = buffer_new(queue->pool);
        push_take(queue, buffer, buffer->bytes, 0);
        tail = slice_at(queue, queue->count - 1);
    }
    return tail->buffer->bytes + tail->buffer->used;
}

void byte_queue_commit(struct byte_queue *queue, size_t length)
{
    struct byte_slice *tail = slice_at(queue, queue->count - 1);
    tail->buffer->used += (uint32_t)length;
    tail->length += length;
    queue->bytes += length;
}

void byte_queue_append(struct byte_queue *queue, const void *data, size_t length)
{
    const char *from = data;
    while (length > 0) {
        char *to = byte_queue_reserve(queue, 1);
        struct byte_slice *tail = slice_at(queue, queue->count - 1);
        size_t room = BUFFER_BYTES - tail->buffer->used;
        size_t part = length < room ? length : room;
        memcpy(to, from, part);
        byte_queue_commit(queue, part);
        from += part;
        length -= part;
    }
}

void byte_queue_append_slice(struct byte_queue *queue, struct buffer *source, const void *data,
                             size_t length)
{
    if (source == NULL || length < BYTE_QUEUE_SHARE_BYTES) {
        byte_queue_append(queue, data, length);
        return;
    }
    push_take(queue, buffer_ref(source), data, length);
}

static void drop_front(struct byte_queue *queue)
{
    struct byte_slice *front = slice_at(queue, 0);
    buffer_unref(front->buffer);
    queue->head = (queue->head + 1) & (queue->capacity - 1);
    queue->count--;
}

void byte_queue_move(struct byte_queue *to, struct byte_queue *from, size_t length)
{
    while (length > 0 && from->count > 0) {
        struct byte_slice front = *slice_at(from, 0);
        size_t part = length < front.length ? length : front.length;
        byte_queue_append_slice(to, front.buffer, front.data, part);
        byte_queue_consume(from, part);
        length -= part;
    }
}

void byte_queue_join(struct byte_queue *queue)
{
    if (queue->count < 2)
        return;
    const struct byte_slice *first = slice_at(queue, 0);
    struct byte_slice *second = slice_at(queue, 1);
    size_t room = (size_t)(second->data - second->buffer->bytes);
    if (first->length > BYTE_QUEUE_JOIN_BYTES || first->length > room ||
        second->length < BYTE_QUEUE_SHARE_BYTES)
        return;
    second->data -= first->length;
    second->length += first->length;
    memcpy(second->buffer->bytes + room - first->length, first->data, first->length);
    drop_front(queue);
}

size_t byte_queue_first_length(const struct byte_queue *queue)
{
    return queue->count > 0 ? slice_at(queue, 0)->length : 0;
}

size_t byte_queue_small_end(const struct byte_queue *queue)
{
    size_t length = queue->count > 0 ? slice_at(queue, queue->count - 1)->length : 0;
    return length < BYTE_QUEUE_SHARE_BYTES ? length : 0;
}

int byte_queue_peek(const struct byte_queue *queue, struct iovec *vectors, int max)
{
    int filled = 0;
    for (size_t i = 0; i < queue->count && filled < max; i++) {
        const struct byte_slice *slice = slice_at(queue, i);
        if (slice->length == 0)
            continue;
        vectors[filled++] = (struct iovec){(void *)(uintptr_t)slice->data, slice->length};
    }
    return filled;
}

size_t byte_queue_copy_out(const struct byte_queue *queue, void *to, size_t length)
{
    char *out = to;
    size_t copied = 0;
    for (size_t i = 0; i < queue->count && copied < length; i++) {
        const struct byte_slice *slice = slice_at(queue, i);
        size_t part = length - copied < slice->length ? length - copied : slice->length;
        memcpy(out + copied, slice->data, part);
        copied += part;
    }
    return copied;
}

void byte_queue_consume(struct byte_queue *queue, size_t length)
{
    if (length > queue->bytes)
        length = queue->bytes;
    queue->bytes -= length;
    while (queue->count > 0) {
        struct byte_slice *front = slice_at(queue, 0);
        size_t part = length < front->length ? length : front->length;
        front->data += part;
        front->length -= part;
        length -= part;
        if (front->length > 0)
            return;
        drop_front(queue);
    }
}
