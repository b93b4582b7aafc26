/*
 * A byte stream on one end of a socket, and the bare other end. What happens to the stream is
 * written down; a test may act inside any event through `on_event`. Single-threaded.
 */
#ifndef TESTS_UNIT_NET_STREAM_FIXTURE_H
#define TESTS_UNIT_NET_STREAM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/net/byte_stream.h"

enum stream_event { EVENT_OPEN, EVENT_BYTES, EVENT_FILL, EVENT_WRITTEN, EVENT_END, EVENT_COUNT };

enum { RECEIVED_BYTES = 1 << 20 };

struct stream_fixture {
    struct io io;
    struct byte_stream stream;
    int other; /* non-blocking; -1: none */
    uint32_t events[EVENT_COUNT];
    uint32_t events_after_close;
    enum byte_stream_end end;
    char received[RECEIVED_BYTES];
    size_t received_bytes;
    /* The bytes that the event is about; NULL but for EVENT_BYTES. */
    struct buffer *buffer;
    const char *data;
    size_t length;
    void (*on_event)(struct stream_fixture *f, enum stream_event event);
    bool (*condition)(const struct stream_fixture *f); /* asked after each event */
    struct deadline guard;
    bool guard_expired;
};

/* For cmocka. The stream is not begun: call one of those below. */
int stream_set_up(void **state);
int stream_tear_down(void **state);

/* The stream and `other` are the ends of a Unix socket pair: SOCK_STREAM or SOCK_SEQPACKET. */
void stream_begin_pair(struct stream_fixture *f, int type);

/* The stream has been accepted on a loopback listener, `other` is the one that connected. */
void stream_begin_loopback(struct stream_fixture *f);

extern const struct byte_stream_events stream_events;

/* Turns the loop until an event after which `condition` holds; fails after some seconds. */
void stream_run_until(struct stream_fixture *f, bool (*condition)(const struct stream_fixture *f));

/* Turns the loop as long as there is something to do at once. */
void stream_run_idle(struct stream_fixture *f);

void stream_append(struct stream_fixture *f, const char *text);
void other_write(struct stream_fixture *f, const void *data, size_t length);

/* One read of the other end: bytes, 0 at the end, -1 when there is nothing. */
ssize_t other_read(struct stream_fixture *f, void *data, size_t size);

bool stream_has_ended(const struct stream_fixture *f);

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, stream_set_up, stream_tear_down)

#endif
