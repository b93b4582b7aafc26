/*
 * What every connection of one thread shares: the loop, buffers, arenas and the scratch memory of
 * reading and writing. Owned by the worker; one thread.
 */
#ifndef NET_IO_H
#define NET_IO_H

#include <sys/uio.h>

#include "proxy/core/arena.h"
#include "proxy/core/block_pool.h"
#include "proxy/core/buffer.h"
#include "proxy/net/loop.h"

/* The most that fits into one TLS record (RFC 8446 section 5.1). */
enum { IO_TLS_RECORD_BYTES = 16 * 1024 };

/* The head of an HTTP/2 frame; what a buffer takes of a long body: two frames that fill a record.
 */
enum { IO_FRAME_HEAD_BYTES = 9, IO_READ_BYTES = 2 * (IO_TLS_RECORD_BYTES - IO_FRAME_HEAD_BYTES) };

/* So much may be read, by all connections, before what is ready to be written is written. */
enum { IO_UNSENT_BYTES = 128 * 1024 };

/* What one read may fill at most: as many buffers as hold IO_UNSENT_BYTES. */
enum { IO_ROOMS = 4 };

struct io {
    struct loop loop;
    struct buffer_pool buffers;
    struct arena_pool arenas;
    struct block_pool blocks;            /* of the HTTP/2 library */
    struct buffer *read_buffer;          /* where the next read lands; never NULL after init */
    struct buffer *spares[IO_ROOMS - 1]; /* where it goes on if it is long, from the last one */
    int spare_count;
    size_t unsent_bytes; /* read since tasks ran for the sake of the cache */
    char record[IO_TLS_RECORD_BYTES];
};

void io_init(struct io *io);

/* All connections have to be closed. */
void io_done(struct io *io);

/*
 * Rooms to read into, one after the other: at least half a buffer, and whole ones behind it if
 * `count`, which is at most IO_ROOMS, is more than 1. Returns how much fits into all of them.
 */
size_t io_read_rooms(struct io *io, struct iovec *rooms, int count);

/*
 * `length` bytes were read there: the buffers that they lie in, each with a reference for the
 * caller, as many as are returned.
 */
int io_read_take(struct io *io, const struct iovec *rooms, size_t length, struct buffer **buffers);

#endif
