/*
 * What every connection of one thread shares: the loop, buffers, arenas and the scratch memory of
 * reading and writing. Owned by the worker; one thread.
 */
#ifndef NET_IO_H
#define NET_IO_H

#include "proxy/core/arena.h"
#include "proxy/core/block_pool.h"
#include "proxy/core/buffer.h"
#include "proxy/net/loop.h"

/* The most that fits into one TLS record (RFC 8446 section 5.1). */
enum { IO_TLS_RECORD_BYTES = 16 * 1024 };

/* So much may be read, by all connections, before what is ready to be written is written. */
enum { IO_UNSENT_BYTES = 128 * 1024 };

struct io {
    struct loop loop;
    struct buffer_pool buffers;
    struct arena_pool arenas;
    struct block_pool blocks;   /* of the HTTP/2 library */
    struct buffer *read_buffer; /* where the next read lands; never NULL after init */
    size_t unsent_bytes;        /* read since tasks ran for the sake of the cache */
    char record[IO_TLS_RECORD_BYTES];
};

void io_init(struct io *io);

/* All connections have to be closed. */
void io_done(struct io *io);

/* Room to read into, at least half a buffer: *ret_room bytes from the result on. */
char *io_read_room(struct io *io, size_t *ret_room);

/* `length` bytes were read there: they stay valid while the buffer is referenced. */
struct buffer *io_read_commit(struct io *io, size_t length);

#endif
