/* Closing, also inside events: nothing comes after it. */
#include "tests/unit/net/stream_fixture.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum stream_event close_in;

static void close_in_event(struct stream_fixture *f, enum stream_event event)
{
    if (event == close_in)
        byte_stream_close(&f->stream);
}

static bool is_closed(const struct stream_fixture *f)
{
    return f->stream.fd < 0;
}

static void assert_other_end_is_over(struct stream_fixture *f)
{
    char rest[4096];
    ssize_t got;
    while ((got = other_read(f, rest, sizeof(rest))) > 0)
        continue;
    assert_int_equal(got, 0);
}

static void no_event_comes_after_closing_inside_one(void **state)
{
    struct stream_fixture *f = *state;
    static const enum stream_event places[] = {EVENT_BYTES, EVENT_FILL, EVENT_WRITTEN, EVENT_END};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        static char bytes[100000];
        stream_tear_down(state);
        stream_set_up(state);
        stream_begin_pair(f, SOCK_STREAM);
        close_in = places[i];
        f->on_event = close_in_event;
        if (close_in == EVENT_END)
            shutdown(f->other, SHUT_WR);
        else
            other_write(f, bytes, sizeof(bytes));
        stream_append(f, "answer");
        stream_run_until(f, is_closed);
        stream_run_idle(f);
        assert_int_equal(f->events[close_in], 1);
        assert_int_equal(f->events_after_close, 0);
    }
}

static void output_that_was_not_written_is_lost_on_closing(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    stream_append(f, "never sent");
    byte_stream_close(&f->stream);
    assert_int_equal(f->io.buffers.live, 1);
    stream_run_idle(f);
    assert_other_end_is_over(f);
    assert_int_equal(f->events[EVENT_FILL] + f->events[EVENT_WRITTEN] + f->events[EVENT_END], 0);
}

static void closing_twice_is_closing_once(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    int fd = f->stream.fd;
    byte_stream_close(&f->stream);
    int reused = dup(f->other); /* takes the number that became free */
    assert_int_equal(reused, fd);
    byte_stream_close(&f->stream);
    assert_int_equal(close(reused), 0);
}

static void a_closed_stream_can_be_flushed_paused_and_resumed_in_vain(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    other_write(f, "x", 1);
    byte_stream_close(&f->stream);
    byte_stream_flush_soon(&f->stream);
    byte_stream_pause(&f->stream);
    byte_stream_resume(&f->stream);
    byte_stream_end_output(&f->stream);
    stream_run_idle(f);
    for (int event = 0; event < EVENT_COUNT; event++)
        assert_int_equal(f->events[event], 0);
}

static bool has_received(const struct stream_fixture *f)
{
    return f->received_bytes > 0;
}

static void input_goes_on_after_the_output_was_ended(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    byte_stream_end_output(&f->stream);
    assert_other_end_is_over(f);
    other_write(f, "still here", 10);
    stream_run_until(f, has_received);
    assert_memory_equal(f->received, "still here", 10);
    assert_int_equal(f->events[EVENT_END], 0);
}

static bool has_ended(const struct stream_fixture *f)
{
    return f->events[EVENT_END] > 0;
}

static bool has_ended_twice(const struct stream_fixture *f)
{
    return f->events[EVENT_END] > 1;
}

static void output_goes_on_after_the_input_has_ended(void **state)
{
    struct stream_fixture *f = *state;
    char answer[16] = "";
    stream_begin_loopback(f);
    shutdown(f->other, SHUT_WR);
    stream_run_until(f, has_ended);
    assert_int_equal(f->end, BYTE_STREAM_EOF);
    stream_append(f, "answer");
    stream_run_idle(f);
    assert_int_equal(other_read(f, answer, sizeof(answer)), 6);
    byte_stream_end_output(&f->stream);
    assert_other_end_is_over(f);
    assert_int_equal(f->events[EVENT_END], 1);
}

static void output_that_fails_after_the_input_has_ended_is_another_end(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_loopback(f);
    close(f->other);
    f->other = -1;
    stream_run_until(f, has_ended);
    assert_int_equal(f->end, BYTE_STREAM_EOF);
    stream_append(f, "into the void");
    stream_run_idle(f);
    stream_append(f, "again");
    stream_run_until(f, has_ended_twice);
    assert_int_equal(f->end, BYTE_STREAM_RESET);
    stream_append(f, "and again");
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_END], 2);
}

static void an_aborted_stream_resets_the_other_end(void **state)
{
    struct stream_fixture *f = *state;
    char rest[16];
    stream_begin_loopback(f);
    stream_append(f, "part");
    stream_run_idle(f);
    byte_stream_abort(&f->stream);
    byte_stream_abort(&f->stream);
    ssize_t got;
    while ((got = other_read(f, rest, sizeof(rest))) > 0)
        continue;
    assert_int_equal(got, -1);
    assert_int_equal(errno, ECONNRESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(no_event_comes_after_closing_inside_one),
        STREAM_TEST(output_that_was_not_written_is_lost_on_closing),
        STREAM_TEST(closing_twice_is_closing_once),
        STREAM_TEST(a_closed_stream_can_be_flushed_paused_and_resumed_in_vain),
        STREAM_TEST(input_goes_on_after_the_output_was_ended),
        STREAM_TEST(output_goes_on_after_the_input_has_ended),
        STREAM_TEST(output_that_fails_after_the_input_has_ended_is_another_end),
        STREAM_TEST(an_aborted_stream_resets_the_other_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
