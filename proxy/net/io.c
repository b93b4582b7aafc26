#include "proxy/net/io.h"

#include "proxy/core/byte_queue.h"

enum { BUFFERS_KEPT = 256, ARENA_CHUNKS_KEPT = 1024, BLOCK_BYTES_KEPT = 1024 * 1024 };

void io_init(struct io *io)
{
    loop_init(&io->loop);
    io->unsent_bytes = 0;
    io->spare_count = 0;
    buffer_pool_init(&io->buffers, BUFFERS_KEPT);
    arena_pool_init(&io->arenas, ARENA_CHUNKS_KEPT);
    block_pool_init(&io->blocks, BLOCK_BYTES_KEPT);
    io->read_buffer = buffer_new(&io->buffers);
}

void io_done(struct io *io)
{
    loop_done(&io->loop);
    buffer_unref(io->read_buffer);
    while (io->spare_count > 0)
        buffer_unref(io->spares[--io->spare_count]);
    buffer_pool_done(&io->buffers);
    arena_pool_done(&io->arenas);
    block_pool_done(&io->blocks);
}

/* Behind a gap, so that a short slice can be put before what is read (byte_queue_join). */
static struct iovec room_in(struct buffer *buffer)
{
    size_t begin = buffer->used + BYTE_QUEUE_JOIN_BYTES;
    size_t room = BUFFER_BYTES - begin;
    return (struct iovec){buffer->bytes + begin, room < IO_READ_BYTES ? room : IO_READ_BYTES};
}

size_t io_read_rooms(struct io *io, struct iovec *rooms, int count)
{
    struct buffer *buffer = io->read_buffer;
    if (buffer->references == 1) {
        buffer->used = 0;
    } else if (BUFFER_BYTES - buffer->used < BUFFER_BYTES / 2) {
        buffer_unref(buffer);
        buffer = io->read_buffer = buffer_new(&io->buffers);
    }
    while (io->spare_count < count - 1)
        io->spares[io->spare_count++] = buffer_new(&io->buffers);
    rooms[0] = room_in(buffer);
    size_t room = rooms[0].iov_len;
    for (int i = 1; i < count; i++) {
        rooms[i] = room_in(io->spares[io->spare_count - i]);
        room += rooms[i].iov_len;
    }
    return room;
}

int io_read_take(struct io *io, const struct iovec *rooms, size_t length, struct buffer **buffers)
{
    size_t first = length < rooms[0].iov_len ? length : rooms[0].iov_len;
    io->unsent_bytes += length;
    io->read_buffer->used += (uint32_t)(BYTE_QUEUE_JOIN_BYTES + first);
    buffers[0] = buffer_ref(io->read_buffer);
    int count = 1;
    for (size_t left = length - first; left > 0; count++) {
        size_t part = left < rooms[count].iov_len ? left : rooms[count].iov_len;
        buffers[count] = io->spares[--io->spare_count];
        buffers[count]->used = (uint32_t)(BYTE_QUEUE_JOIN_BYTES + part);
        left -= part;
    }
    return count;
}
