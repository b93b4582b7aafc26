/*
 * One connected (or connecting) socket, in clear or TLS, with what is read passed up at once and
 * what is to be written gathered until the end of the loop's turn. Embedded in its owner, a
 * connection; one thread.
 *
 * After byte_stream_close returns, no event comes any more. The owner may close the stream inside
 * any event, but must not free the memory that it lies in before the turn ends (see
 * byte_stream_close).
 */
#ifndef NET_BYTE_STREAM_H
#define NET_BYTE_STREAM_H

#include "proxy/core/byte_queue.h"
#include "proxy/net/address.h"
#include "proxy/net/io.h"
#include "proxy/net/tls_socket.h"

struct ssl_st;
struct byte_stream;

enum byte_stream_end {
    BYTE_STREAM_EOF,            /* an orderly end of input */
    BYTE_STREAM_CONNECT_FAILED, /* refused, unreachable */
    BYTE_STREAM_NO_SOCKET,      /* no descriptor or memory for one: our own lack */
    BYTE_STREAM_RESET,          /* any other error of the socket */
    BYTE_STREAM_TLS_FAILED,     /* the handshake or a record was wrong */
};

struct byte_stream_events {
    /* Connected, or the TLS handshake is done. */
    void (*on_open)(struct byte_stream *stream);
    /* Bytes inside `buffer`; valid during the call, and longer for who takes a reference. */
    void (*on_bytes)(struct byte_stream *stream, struct buffer *buffer, const char *data,
                     size_t length);
    /* Before a write: append more to `output` if there is any. May be NULL. */
    void (*on_fill)(struct byte_stream *stream);
    /* Some output has left. May be NULL. */
    void (*on_written)(struct byte_stream *stream);
    /*
     * No more input; the owner closes now or later. After BYTE_STREAM_EOF output may go on, and
     * this comes once more if it fails.
     */
    void (*on_end)(struct byte_stream *stream, enum byte_stream_end end);
};

/* While the output holds this much, on_fill is not asked for more. */
enum { BYTE_STREAM_OUTPUT_BYTES = 64 * 1024 };

struct byte_stream {
    const struct byte_stream_events *events;
    struct io *io;
    struct ssl_st *tls; /* NULL: in clear */
    struct byte_queue output;
    struct task flush;
    struct task read_again;
    ev_io readable;
    ev_io writable;
    struct tls_socket socket;
    const struct address *connects_to;
    int fd;           /* -1: closed, or to be connected in this turn */
    bool connecting;  /* the socket itself is not connected yet */
    bool open;        /* connected and, with TLS, shaken hands */
    bool ends_output; /* set by the owner: byte_stream_end_output follows as soon as all has left */
    int read_rooms;   /* set by the owner: a read may bring bytes in so many pieces (0 is 1, at most
                         IO_ROOMS), all of them although it paused or ended in the first */
    bool reads_long;  /* the last read left nothing free */
    bool flushes_late; /* `flush` waits for leisure */
    bool paused;       /* the owner wants no input for now */
    bool ended;        /* on_end was called: no more input */
    bool broken;       /* nor can anything be written */
    uint64_t bytes_read;
    uint64_t bytes_written;
};

/* Takes the descriptor (and the TLS object) of an accepted connection. */
void byte_stream_accept_take(struct byte_stream *stream, struct io *io, int fd, struct ssl_st *tls,
                             const struct byte_stream_events *events);

/*
 * Connects at the end of this turn, unless it is closed by then, and then shakes hands if there is
 * a TLS object (which is taken); on_open or on_end follows, never inside this call. The address has
 * to live as long.
 */
void byte_stream_connect_take(struct byte_stream *stream, struct io *io,
                              const struct address *address, struct ssl_st *tls,
                              const struct byte_stream_events *events);

/* With TLS, once open: did the other end choose this protocol (ALPN, RFC 7301)? */
bool byte_stream_speaks(const struct byte_stream *stream, struct strview protocol);

/* In on_end with BYTE_STREAM_TLS_FAILED: what was wrong, for a person. A static text. */
const char *byte_stream_tls_fault(const struct byte_stream *stream);

/* Writes at the end of this turn, after on_fill. */
void byte_stream_flush_soon(struct byte_stream *stream);

/*
 * For a stream without on_fill to whose output nothing more is added in this turn: writes now,
 * while the bytes are in the cache, what leaves without waiting. The rest, and every fault, is for
 * the end of the turn: no event comes inside this call.
 */
void byte_stream_flush_now(struct byte_stream *stream);

/* Writes when the loop has nothing else to do, or a moment later (task_schedule_at_leisure), what
 * there is by then; or with the next byte_stream_flush_soon. */
void byte_stream_flush_at_leisure(struct byte_stream *stream);

/* Is there anything to pass up right now, be it the end? Costs a system call. */
bool byte_stream_has_input(struct byte_stream *stream);

/* Stops and goes on reading. What was read already has been passed up. */
void byte_stream_pause(struct byte_stream *stream);
void byte_stream_resume(struct byte_stream *stream);

/* Says that nothing more will be written (close_notify, FIN); input goes on. After all output left.
 */
void byte_stream_end_output(struct byte_stream *stream);

/* Closes now; unwritten output is lost. Safe to call twice. */
void byte_stream_close(struct byte_stream *stream);

/* The same by a reset, so that the other end cannot take what it got for all there was. */
void byte_stream_abort(struct byte_stream *stream);

#endif
