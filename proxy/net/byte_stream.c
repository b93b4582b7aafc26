#include "proxy/net/byte_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "proxy/core/check.h"
#include "proxy/net/socket.h"

/* How often one stream reads or writes before others have their turn. */
enum { READS_A_TURN = 16, WRITES_A_TURN = 16, WRITE_VECTORS = 32 };

/* What a non-blocking call on the socket or the TLS layer came to. */
enum io_result { IO_DONE, IO_AGAIN, IO_END, IO_FAILED };

static bool holds_input(const struct byte_stream *stream);
static void read_input(struct byte_stream *stream);

static void end_input(struct byte_stream *stream, enum byte_stream_end end)
{
    bool again = end == BYTE_STREAM_EOF ? stream->ended : stream->broken;
    if (again || stream->fd < 0)
        return;
    stream->ended = true;
    stream->broken = end != BYTE_STREAM_EOF;
    ev_io_stop(stream->io->loop.ev, &stream->readable);
    if (stream->broken)
        ev_io_stop(stream->io->loop.ev, &stream->writable);
    task_cancel(&stream->read_again);
    stream->events->on_end(stream, end);
}

static void watch_writable(struct byte_stream *stream, bool on)
{
    if (on == (bool)ev_is_active(&stream->writable))
        return;
    if (on)
        ev_io_start(stream->io->loop.ev, &stream->writable);
    else
        ev_io_stop(stream->io->loop.ev, &stream->writable);
}

static enum io_result tls_result(struct byte_stream *stream, int result)
{
    switch (SSL_get_error(stream->tls, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return IO_END;
    case SSL_ERROR_SYSCALL:
        return errno == 0 ? IO_END : IO_FAILED;
    default:
        /* The socket ended without a close_notify: cut, by whomever (RFC 8446 section 6.1). */
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            errno = ECONNRESET;
        return IO_FAILED;
    }
}

/* --- opening ------------------------------------------------------------------------------- */

static void opened(struct byte_stream *stream)
{
    stream->open = true;
    watch_writable(stream, false);
    if (!stream->paused)
        ev_io_start(stream->io->loop.ev, &stream->readable);
    stream->events->on_open(stream);
    if (stream->fd >= 0)
        byte_stream_flush_soon(stream);
}

static void go_on_with_handshake(struct byte_stream *stream)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->tls);
    if (result == 1) {
        opened(stream);
        if (holds_input(stream))
            read_input(stream); /* what came with the end of the handshake */
        return;
    }
    int error = SSL_get_error(stream->tls, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        watch_writable(stream, error == SSL_ERROR_WANT_WRITE);
        return;
    }
    end_input(stream, BYTE_STREAM_TLS_FAILED);
}

static void go_on_with_connect(struct byte_stream *stream)
{
    if (socket_error(stream->fd) != 0) {
        end_input(stream, BYTE_STREAM_CONNECT_FAILED);
        return;
    }
    stream->connecting = false;
    if (stream->tls == NULL) {
        opened(stream);
        return;
    }
    if (!tls_socket_attach(&stream->socket, stream->tls)) {
        end_input(stream, BYTE_STREAM_NO_SOCKET);
        return;
    }
    ev_io_start(stream->io->loop.ev, &stream->readable);
    go_on_with_handshake(stream);
}

/* --- reading ------------------------------------------------------------------------------- */

static enum io_result read_some(struct byte_stream *stream, const struct iovec *rooms, int count,
                                size_t *ret_length)
{
    if (stream->tls != NULL) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_read(stream->tls, rooms[0].iov_base, (int)rooms[0].iov_len);
        if (result <= 0)
            return tls_result(stream, result);
        *ret_length = (size_t)result;
        return IO_DONE;
    }
    ssize_t result = readv(stream->fd, rooms, count);
    if (result == 0)
        return IO_END;
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAILED;
    *ret_length = (size_t)result;
    return IO_DONE;
}

static bool wants_input(const struct byte_stream *stream)
{
    return stream->fd >= 0 && !stream->paused && !stream->ended;
}

/* Bytes in the TLS layer, which the socket will not announce again. */
static bool holds_input(const struct byte_stream *stream)
{
    return wants_input(stream) && stream->tls != NULL && SSL_has_pending(stream->tls);
}

/* Others have their turn first. */
static void read_later(struct byte_stream *stream)
{
    if (holds_input(stream))
        task_schedule_next_turn(&stream->io->loop, &stream->read_again);
}

static void pass_up(struct byte_stream *stream, const struct iovec *rooms, size_t length)
{
    /* Held for the calls, so that nothing reads over these bytes meanwhile. */
    struct buffer *buffers[IO_ROOMS];
    int count = io_read_take(stream->io, rooms, length, buffers);
    stream->bytes_read += length;
    for (int i = 0; i < count; i++) {
        size_t part = length < rooms[i].iov_len ? length : rooms[i].iov_len;
        length -= part;
        if (stream->fd >= 0)
            stream->events->on_bytes(stream, buffers[i], rooms[i].iov_base, part);
        buffer_unref(buffers[i]);
    }
}

static void read_input(struct byte_stream *stream)
{
    /* With TLS most comes from clients, a record each time, and pieces of a body should meet. */
    size_t most = stream->tls != NULL ? 2 * IO_UNSENT_BYTES : IO_UNSENT_BYTES;
    size_t taken = 0;
    for (int reads = 0; reads < READS_A_TURN && taken < most; reads++) {
        if (!wants_input(stream))
            return;
        struct iovec rooms[IO_ROOMS];
        size_t length = 0;
        int count = stream->reads_long && stream->read_rooms > 1 ? stream->read_rooms : 1;
        size_t room = io_read_rooms(stream->io, rooms, count);
        switch (read_some(stream, rooms, count, &length)) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            return;
        case IO_END:
            end_input(stream, BYTE_STREAM_EOF);
            return;
        case IO_FAILED:
            end_input(stream, stream->tls != NULL && errno == 0 ? BYTE_STREAM_TLS_FAILED
                                                                : BYTE_STREAM_RESET);
            return;
        }
        /* A short read from a socket means that it is empty: no call only to learn EAGAIN. */
        bool is_short = stream->tls == NULL && length < room;
        stream->reads_long = length >= rooms[0].iov_len;
        taken += length;
        pass_up(stream, rooms, length);
        if (is_short)
            return;
    }
    read_later(stream);
}

static void run_read_again(struct task *task)
{
    struct byte_stream *stream = LIST_ENTRY(task, struct byte_stream, read_again);
    if (stream->open)
        read_input(stream);
}

/*
 * What has been read is still in the cache: it leaves before much more is read. Nothing of a
 * connection's is on the stack here, so its tasks may run as at the end of the turn.
 */
static void let_go_on(struct io *io)
{
    if (io->unsent_bytes < IO_UNSENT_BYTES)
        return;
    io->unsent_bytes = 0;
    loop_run_tasks(&io->loop);
}

static void on_readable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct byte_stream *stream = watcher->data;
    struct io *io = stream->io;
    stream->socket.drained = false;
    if (stream->open)
        read_input(stream);
    else
        go_on_with_handshake(stream);
    let_go_on(io);
}

/* --- writing ------------------------------------------------------------------------------- */

static enum io_result write_clear(struct byte_stream *stream, size_t *ret_length)
{
    struct iovec vectors[WRITE_VECTORS];
    struct msghdr message = {.msg_iov = vectors};
    message.msg_iovlen = (size_t)byte_queue_peek(&stream->output, vectors, WRITE_VECTORS);
    int flags = MSG_NOSIGNAL | (stream->ends_output ? MSG_MORE : 0);
    ssize_t result = sendmsg(stream->fd, &message, flags);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAILED;
    *ret_length = (size_t)result;
    return IO_DONE;
}

/* One record: a large first slice as it lies, small ones gathered. */
static enum io_result write_tls(struct byte_stream *stream, size_t *ret_length)
{
    struct iovec first;
    byte_queue_join(&stream->output);
    byte_queue_peek(&stream->output, &first, 1);
    const void *data = first.iov_base;
    size_t length = first.iov_len < IO_TLS_RECORD_BYTES ? first.iov_len : IO_TLS_RECORD_BYTES;
    if (length < IO_TLS_RECORD_BYTES / 2 && length < stream->output.bytes) {
        data = stream->io->record;
        length = byte_queue_copy_out(&stream->output, stream->io->record, IO_TLS_RECORD_BYTES);
    }
    ERR_clear_error();
    errno = 0;
    stream->socket.more_follows = length < stream->output.bytes || stream->ends_output;
    int result = SSL_write(stream->tls, data, (int)length);
    stream->socket.more_follows = false;
    if (result <= 0)
        return tls_result(stream, result);
    *ret_length = (size_t)result;
    return IO_DONE;
}

/* True while there may be more to write in this turn. */
static bool write_once(struct byte_stream *stream)
{
    if (stream->events->on_fill != NULL && stream->output.bytes < BYTE_STREAM_OUTPUT_BYTES)
        stream->events->on_fill(stream);
    if (stream->fd < 0 || stream->output.bytes == 0)
        return false;
    size_t length = 0;
    enum io_result result =
        stream->tls != NULL ? write_tls(stream, &length) : write_clear(stream, &length);
    if (result == IO_AGAIN) {
        watch_writable(stream, true);
        return false;
    }
    if (result != IO_DONE) {
        stream->socket.drained = false;
        read_input(stream); /* the other end may have said why before it closed */
        end_input(stream, BYTE_STREAM_RESET);
        return false;
    }
    stream->bytes_written += length;
    byte_queue_consume(&stream->output, length);
    if (stream->events->on_written != NULL)
        stream->events->on_written(stream);
    return stream->fd >= 0;
}

static void write_output(struct byte_stream *stream)
{
    for (int writes = 0; writes < WRITES_A_TURN; writes++) {
        if (stream->fd < 0 || !stream->open || stream->broken)
            return;
        if (!write_once(stream)) {
            if (stream->fd >= 0 && stream->output.bytes == 0)
                watch_writable(stream, false);
            return;
        }
    }
    /* More next turn, if there is any: asked for now, so that who waits for the socket knows it. */
    if (stream->output.bytes == 0 && stream->events->on_fill != NULL)
        stream->events->on_fill(stream);
    if (stream->fd >= 0)
        watch_writable(stream, stream->output.bytes > 0);
}

static void run_flush(struct task *task)
{
    struct byte_stream *stream = LIST_ENTRY(task, struct byte_stream, flush);
    stream->flushes_late = false;
    if (!ev_is_active(&stream->writable))
        write_output(stream);
}

static void on_writable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct byte_stream *stream = watcher->data;
    if (stream->open)
        write_output(stream);
    else if (stream->connecting)
        go_on_with_connect(stream);
    else
        go_on_with_handshake(stream);
}

/* --- life ---------------------------------------------------------------------------------- */

static void init(struct byte_stream *stream, struct io *io, int fd, struct ssl_st *tls,
                 const struct byte_stream_events *events)
{
    *stream = (struct byte_stream){.events = events, .io = io, .tls = tls, .fd = fd};
    stream->socket.fd = fd;
    byte_queue_init(&stream->output, &io->buffers);
    task_init(&stream->flush, run_flush);
    task_init(&stream->read_again, run_read_again);
    ev_io_init(&stream->readable, on_readable, fd, EV_READ);
    ev_io_init(&stream->writable, on_writable, fd, EV_WRITE);
    stream->readable.data = stream;
    stream->writable.data = stream;
}

void byte_stream_accept_take(struct byte_stream *stream, struct io *io, int fd, struct ssl_st *tls,
                             const struct byte_stream_events *events)
{
    init(stream, io, fd, tls, events);
    stream->open = tls == NULL;
    if (tls != NULL)
        tls_socket_attach(&stream->socket, tls); /* without it the handshake fails */
    ev_io_start(io->loop.ev, &stream->readable);
}

/* From the end of the turn: whom nobody wants by then costs no call, and no event comes too soon.
 */
static void run_connect(struct task *task)
{
    struct byte_stream *stream = LIST_ENTRY(task, struct byte_stream, flush);
    int fd = socket_connect(stream->connects_to);
    bool lacks = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (fd < 0) {
        stream->ended = true;
        stream->events->on_end(stream, lacks ? BYTE_STREAM_NO_SOCKET : BYTE_STREAM_CONNECT_FAILED);
        return;
    }
    stream->fd = stream->socket.fd = fd;
    task_init(&stream->flush, run_flush);
    ev_io_set(&stream->readable, fd, EV_READ);
    ev_io_set(&stream->writable, fd, EV_WRITE);
    ev_io_start(stream->io->loop.ev, &stream->writable);
}

void byte_stream_connect_take(struct byte_stream *stream, struct io *io,
                              const struct address *address, struct ssl_st *tls,
                              const struct byte_stream_events *events)
{
    init(stream, io, -1, tls, events);
    stream->connecting = true;
    stream->connects_to = address;
    task_init(&stream->flush, run_connect);
    task_schedule(&io->loop, &stream->flush);
}

void byte_stream_flush_soon(struct byte_stream *stream)
{
    if (stream->fd < 0)
        return;
    if (stream->flushes_late)
        task_cancel(&stream->flush);
    stream->flushes_late = false;
    task_schedule(&stream->io->loop, &stream->flush);
}

void byte_stream_flush_at_leisure(struct byte_stream *stream)
{
    if (stream->fd < 0 || !list_is_empty(&stream->flush.node))
        return;
    stream->flushes_late = true;
    task_schedule_at_leisure(&stream->io->loop, &stream->flush);
}

void byte_stream_flush_now(struct byte_stream *stream)
{
    size_t length = 0;
    bool may =
        stream->open && !stream->broken && stream->tls == NULL && !ev_is_active(&stream->writable);
    if (may && write_clear(stream, &length) == IO_DONE) {
        stream->bytes_written += length;
        byte_queue_consume(&stream->output, length);
    }
    if (stream->output.bytes > 0)
        byte_stream_flush_soon(stream);
}

void byte_stream_pause(struct byte_stream *stream)
{
    if (stream->paused)
        return;
    stream->paused = true;
    if (stream->fd >= 0 && stream->open)
        ev_io_stop(stream->io->loop.ev, &stream->readable);
}

void byte_stream_resume(struct byte_stream *stream)
{
    if (!stream->paused)
        return;
    stream->paused = false;
    if (stream->fd < 0 || !stream->open || stream->ended)
        return;
    ev_io_start(stream->io->loop.ev, &stream->readable);
    read_later(stream);
}

void byte_stream_end_output(struct byte_stream *stream)
{
    if (stream->fd < 0 || stream->broken)
        return;
    if (stream->tls != NULL && stream->open) {
        ERR_clear_error();
        stream->socket.more_follows = true;
        SSL_shutdown(stream->tls);
    }
    shutdown(stream->fd, SHUT_WR); /* what waited for more leaves with the end */
}

static void close_socket(struct byte_stream *stream, bool says_goodbye)
{
    task_cancel(&stream->flush);
    task_cancel(&stream->read_again);
    if (stream->fd >= 0) {
        ev_io_stop(stream->io->loop.ev, &stream->readable);
        ev_io_stop(stream->io->loop.ev, &stream->writable);
        if (says_goodbye && stream->tls != NULL && stream->open) {
            ERR_clear_error();
            SSL_shutdown(stream->tls);
        }
        close(stream->fd);
        stream->fd = -1;
    }
    if (stream->tls != NULL) {
        SSL_free(stream->tls);
        stream->tls = NULL;
    }
    byte_queue_done(&stream->output);
    stream->ended = true;
    stream->broken = true;
}

void byte_stream_close(struct byte_stream *stream)
{
    close_socket(stream, true);
}

void byte_stream_abort(struct byte_stream *stream)
{
    if (stream->fd >= 0)
        socket_reset_on_close(stream->fd);
    close_socket(stream, false);
}
