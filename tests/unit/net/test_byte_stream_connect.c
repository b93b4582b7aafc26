/* Connecting: whatever comes of it comes later, and once. */
#include "tests/unit/net/stream_fixture.h"

#include <string.h>
#include <unistd.h>

#include "proxy/net/socket.h"

/* A listener on a free loopback port. */
static int listen_somewhere(struct address *ret_address)
{
    assert_true(address_parse(STRVIEW("127.0.0.1:0"), ret_address));
    int listener = socket_listen(ret_address, 8, false);
    assert_true(listener >= 0);
    assert_true(socket_local_address(listener, ret_address));
    return listener;
}

static bool is_open(const struct stream_fixture *f)
{
    return f->events[EVENT_OPEN] > 0;
}

static bool has_written(const struct stream_fixture *f)
{
    return f->events[EVENT_WRITTEN] > 0;
}

static void what_was_said_before_the_connection_is_sent_when_it_is_there(void **state)
{
    struct stream_fixture *f = *state;
    struct address address;
    char message[16] = "";
    int listener = listen_somewhere(&address);
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
    stream_append(f, "early");
    assert_int_equal(f->events[EVENT_OPEN], 0);
    stream_run_until(f, has_written);
    assert_int_equal(f->events[EVENT_OPEN], 1);
    f->other = socket_accept(listener, &address);
    close(listener);
    assert_true(f->other >= 0);
    assert_int_equal(other_read(f, message, sizeof(message)), 5);
    assert_string_equal(message, "early");
}

static void a_refused_connection_is_told_once(void **state)
{
    struct stream_fixture *f = *state;
    struct address address;
    close(listen_somewhere(&address));
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
    stream_append(f, "hello?");
    assert_int_equal(f->events[EVENT_END], 0);
    stream_run_until(f, stream_has_ended);
    stream_run_idle(f);
    assert_int_equal(f->end, BYTE_STREAM_CONNECT_FAILED);
    assert_int_equal(f->events[EVENT_END], 1);
    assert_int_equal(f->events[EVENT_OPEN], 0);
    assert_int_equal(f->events[EVENT_WRITTEN], 0);
}

static void begin_towards_nothing(struct stream_fixture *f)
{
    struct address address; /* such a connect fails inside the call */
    assert_true(address_parse(STRVIEW("unix:/no/such/folder/socket"), &address));
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
}

static void a_connection_that_fails_at_once_is_told_after_the_call(void **state)
{
    struct stream_fixture *f = *state;
    f->end = BYTE_STREAM_CONNECT_FAILED; /* it has no descriptor from the beginning */
    begin_towards_nothing(f);
    assert_int_equal(f->events[EVENT_END], 0);
    stream_run_until(f, stream_has_ended);
    stream_run_idle(f);
    assert_int_equal(f->end, BYTE_STREAM_CONNECT_FAILED);
    assert_int_equal(f->events[EVENT_END], 1);
}

static void nothing_is_told_about_a_connection_that_was_closed_meanwhile(void **state)
{
    struct stream_fixture *f = *state;
    struct address address;
    begin_towards_nothing(f);
    byte_stream_close(&f->stream);
    stream_run_idle(f);
    int listener = listen_somewhere(&address);
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
    byte_stream_close(&f->stream);
    stream_run_idle(f);
    close(listener);
    for (int event = 0; event < EVENT_COUNT; event++)
        assert_int_equal(f->events[event], 0);
}

static void close_on_open(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_OPEN)
        byte_stream_close(&f->stream);
}

static void closing_as_soon_as_it_is_open_sends_nothing(void **state)
{
    struct stream_fixture *f = *state;
    struct address address;
    char message[16];
    int listener = listen_somewhere(&address);
    f->on_event = close_on_open;
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
    stream_append(f, "early");
    stream_run_until(f, is_open);
    stream_run_idle(f);
    f->other = socket_accept(listener, &address);
    close(listener);
    assert_int_equal(other_read(f, message, sizeof(message)), 0);
}

static void a_connection_may_be_paused_before_it_is_open(void **state)
{
    struct stream_fixture *f = *state;
    struct address address;
    int listener = listen_somewhere(&address);
    byte_stream_connect_take(&f->stream, &f->io, &address, NULL, &stream_events);
    byte_stream_pause(&f->stream);
    stream_run_until(f, is_open);
    f->other = socket_accept(listener, &address);
    close(listener);
    other_write(f, "x", 1);
    stream_run_idle(f);
    assert_int_equal(f->received_bytes, 0);
    assert_false(ev_is_active(&f->stream.readable));
    byte_stream_resume(&f->stream);
    shutdown(f->other, SHUT_WR);
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->received_bytes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(what_was_said_before_the_connection_is_sent_when_it_is_there),
        STREAM_TEST(a_refused_connection_is_told_once),
        STREAM_TEST(a_connection_that_fails_at_once_is_told_after_the_call),
        STREAM_TEST(nothing_is_told_about_a_connection_that_was_closed_meanwhile),
        STREAM_TEST(closing_as_soon_as_it_is_open_sends_nothing),
        STREAM_TEST(a_connection_may_be_paused_before_it_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
