#include "proxy/net/io.h"

enum { BUFFERS_KEPT = 256, ARENA_CHUNKS_KEPT = 1024, BLOCK_BYTES_KEPT = 1024 * 1024 };

void io_init(struct io *io)
{
    loop_init(&io->loop);
    io->unsent_bytes = 0;
    buffer_pool_init(&io->buffers, BUFFERS_KEPT);
    arena_pool_init(&io->arenas, ARENA_CHUNKS_KEPT);
    block_pool_init(&io->blocks, BLOCK_BYTES_KEPT);
    io->read_buffer = buffer_new(&io->buffers);
}

void io_done(struct io *io)
{
    loop_done(&io->loop);
    buffer_unref(io->read_buffer);
    buffer_pool_done(&io->buffers);
    arena_pool_done(&io->arenas);
    block_pool_done(&io->blocks);
}

char *io_read_room(struct io *io, size_t *ret_room)
{
    struct buffer *buffer = io->read_buffer;
    if (buffer->references == 1) {
        buffer->used = 0;
    } else if (BUFFER_BYTES - buffer->used < BUFFER_BYTES / 2) {
        buffer_unref(buffer);
        buffer = io->read_buffer = buffer_new(&io->buffers);
    }
    *ret_room = BUFFER_BYTES - buffer->used;
    return buffer->bytes + buffer->used;
}

struct buffer *io_read_commit(struct io *io, size_t length)
{
    io->read_buffer->used += (uint32_t)length;
    io->unsent_bytes += length;
    return io->read_buffer;
}
