#include "tests/unit/net/stream_fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proxy/net/socket.h"

enum { GUARD_MS = 20000 };

static struct stream_fixture *fixture_of(struct byte_stream *stream)
{
    return LIST_ENTRY(stream, struct stream_fixture, stream);
}

static void note(struct byte_stream *stream, enum stream_event event)
{
    struct stream_fixture *f = fixture_of(stream);
    if (stream->fd < 0 && !(event == EVENT_END && f->end == BYTE_STREAM_CONNECT_FAILED))
        f->events_after_close++;
    f->events[event]++;
    if (f->on_event != NULL)
        f->on_event(f, event);
    if (f->condition != NULL && f->condition(f))
        loop_break(&f->io.loop);
}

static void on_open(struct byte_stream *stream)
{
    note(stream, EVENT_OPEN);
}

static void on_bytes(struct byte_stream *stream, struct buffer *buffer, const char *data,
                     size_t length)
{
    struct stream_fixture *f = fixture_of(stream);
    assert_true(length > 0);
    assert_true(data >= buffer->bytes && data + length <= buffer->bytes + buffer->used);
    assert_true(f->received_bytes + length <= RECEIVED_BYTES);
    memcpy(f->received + f->received_bytes, data, length);
    f->received_bytes += length;
    f->buffer = buffer;
    f->data = data;
    f->length = length;
    note(stream, EVENT_BYTES);
    f->buffer = NULL;
}

static void on_fill(struct byte_stream *stream)
{
    note(stream, EVENT_FILL);
}

static void on_written(struct byte_stream *stream)
{
    note(stream, EVENT_WRITTEN);
}

static void on_end(struct byte_stream *stream, enum byte_stream_end end)
{
    fixture_of(stream)->end = end;
    note(stream, EVENT_END);
}

const struct byte_stream_events stream_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_fill = on_fill,
    .on_written = on_written,
    .on_end = on_end,
};

static void on_guard(struct deadline *deadline)
{
    struct stream_fixture *f = LIST_ENTRY(deadline, struct stream_fixture, guard);
    f->guard_expired = true;
    loop_break(&f->io.loop);
}

int stream_set_up(void **state)
{
    static struct stream_fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    fixture.other = -1;
    fixture.stream.fd = -1;
    io_init(&fixture.io);
    deadline_init(&fixture.guard, on_guard);
    *state = &fixture;
    return 0;
}

int stream_tear_down(void **state)
{
    struct stream_fixture *f = *state;
    if (f->stream.io != NULL)
        byte_stream_close(&f->stream);
    if (f->other >= 0)
        close(f->other);
    assert_int_equal(f->events_after_close, 0);
    assert_int_equal(f->io.buffers.live, 1 + f->io.spare_count); /* to read into */
    io_done(&f->io);
    return 0;
}

void stream_begin_pair(struct stream_fixture *f, int type)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    f->other = ends[1];
    byte_stream_accept_take(&f->stream, &f->io, ends[0], NULL, &stream_events);
}

void stream_begin_loopback(struct stream_fixture *f)
{
    struct address address;
    assert_true(address_parse(STRVIEW("127.0.0.1:0"), &address));
    int listener = socket_listen(&address, 1, false);
    assert_true(listener >= 0);
    assert_true(socket_local_address(listener, &address));
    f->other = socket_connect(&address);
    assert_true(f->other >= 0);
    int fd = -1;
    while ((fd = socket_accept(listener, &address)) < 0)
        assert_int_equal(errno, EAGAIN);
    close(listener);
    byte_stream_accept_take(&f->stream, &f->io, fd, NULL, &stream_events);
}

void stream_run_until(struct stream_fixture *f, bool (*condition)(const struct stream_fixture *f))
{
    if (condition(f))
        return;
    f->condition = condition;
    deadline_start(&f->io.loop, &f->guard, GUARD_MS);
    loop_run(&f->io.loop);
    deadline_stop(&f->guard);
    f->condition = NULL;
    assert_false(f->guard_expired);
}

void stream_run_idle(struct stream_fixture *f)
{
    for (int i = 0; i < 20; i++)
        ev_run(f->io.loop.ev, EVRUN_NOWAIT);
}

void stream_append(struct stream_fixture *f, const char *text)
{
    byte_queue_append(&f->stream.output, text, strlen(text));
    byte_stream_flush_soon(&f->stream);
}

void other_write(struct stream_fixture *f, const void *data, size_t length)
{
    assert_int_equal(send(f->other, data, length, MSG_NOSIGNAL), length);
}

ssize_t other_read(struct stream_fixture *f, void *data, size_t size)
{
    return read(f->other, data, size);
}

bool stream_has_ended(const struct stream_fixture *f)
{
    return f->events[EVENT_END] > 0;
}
