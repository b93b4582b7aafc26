/* Reading, gathering and writing in clear. */
#include "tests/unit/net/stream_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE_BYTES = 512 * 1024, PATIENCE_MS = 5000, LONG_ROOMS = 3 };

static char pattern_at(size_t offset)
{
    return (char)(offset * 7 + offset / 251);
}

static bool has_received_some(const struct stream_fixture *f)
{
    return f->received_bytes > 0;
}

static void append_three_pieces(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_BYTES) {
        stream_append(f, "one ");
        stream_append(f, "two ");
        stream_append(f, "three");
    }
}

static bool has_written(const struct stream_fixture *f)
{
    return f->events[EVENT_WRITTEN] > 0;
}

static void all_output_of_a_turn_leaves_in_one_write(void **state)
{
    struct stream_fixture *f = *state;
    char message[64] = "";
    stream_begin_pair(f, SOCK_SEQPACKET); /* keeps writes apart */
    f->on_event = append_three_pieces;
    other_write(f, "x", 1);
    stream_run_until(f, has_written);
    assert_int_equal(other_read(f, message, sizeof(message)), 13);
    assert_string_equal(message, "one two three");
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_WRITTEN], 1);
    assert_int_equal(f->stream.bytes_written, 13);
    assert_int_equal(other_read(f, message, sizeof(message)), -1);
}

static void what_is_flushed_now_has_left_and_the_end_of_the_turn_adds_nothing(void **state)
{
    struct stream_fixture *f = *state;
    char message[64] = "";
    stream_begin_pair(f, SOCK_SEQPACKET);
    byte_queue_append(&f->stream.output, "now", 3);
    byte_stream_flush_now(&f->stream);
    assert_int_equal(f->stream.bytes_written, 3);
    assert_int_equal(other_read(f, message, sizeof(message)), 3);
    assert_memory_equal(message, "now", 3);
    stream_run_idle(f);
    assert_int_equal(other_read(f, message, sizeof(message)), -1);
    assert_int_equal(f->events[EVENT_WRITTEN], 0);
}

static void a_fault_of_what_is_flushed_now_comes_later(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    byte_stream_pause(&f->stream);
    close(f->other);
    f->other = -1;
    byte_queue_append(&f->stream.output, "anybody?", 8);
    byte_stream_flush_now(&f->stream);
    assert_int_equal(f->events[EVENT_END], 0);
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->end, BYTE_STREAM_RESET);
    byte_stream_flush_now(&f->stream);
    byte_stream_close(&f->stream);
    byte_stream_flush_now(&f->stream);
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_END], 1);
}

static void what_has_no_room_now_leaves_later(void **state)
{
    struct stream_fixture *f = *state;
    static char large[4 << 20];
    char part[3000];
    size_t taken = 0;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = pattern_at(i);
    stream_begin_pair(f, SOCK_STREAM);
    byte_queue_append(&f->stream.output, large, sizeof(large));
    byte_stream_flush_now(&f->stream);
    assert_true(f->stream.output.bytes > 0 && f->stream.output.bytes < sizeof(large));
    while (taken < sizeof(large)) {
        ssize_t got = other_read(f, part, sizeof(part));
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(part[i], pattern_at(taken++));
        if (got < 0)
            ev_run(f->io.loop.ev, EVRUN_NOWAIT);
    }
    assert_int_equal(f->stream.bytes_written, sizeof(large));
}

static void what_may_wait_leaves_at_leisure_or_with_what_may_not(void **state)
{
    struct stream_fixture *f = *state;
    char text[16];
    stream_begin_pair(f, SOCK_SEQPACKET);
    byte_queue_append(&f->stream.output, "one", 3);
    byte_stream_flush_at_leisure(&f->stream);
    loop_run_tasks(&f->io.loop);
    assert_int_equal(other_read(f, text, sizeof(text)), -1);
    stream_run_idle(f);
    assert_int_equal(other_read(f, text, sizeof(text)), 3);

    byte_queue_append(&f->stream.output, "two", 3);
    byte_stream_flush_at_leisure(&f->stream);
    byte_queue_append(&f->stream.output, "three", 5);
    byte_stream_flush_soon(&f->stream);
    byte_stream_flush_at_leisure(&f->stream); /* delays nothing */
    loop_run_tasks(&f->io.loop);
    assert_int_equal(other_read(f, text, sizeof(text)), 8);
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_WRITTEN], 2);
}

static void fill_once(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_FILL && f->events[EVENT_FILL] == 1)
        byte_queue_append(&f->stream.output, "filled", 6);
}

static void what_is_filled_in_before_a_write_leaves_with_it(void **state)
{
    struct stream_fixture *f = *state;
    char message[64] = "";
    stream_begin_pair(f, SOCK_SEQPACKET);
    f->on_event = fill_once;
    stream_append(f, "said, ");
    stream_run_until(f, has_written);
    assert_int_equal(other_read(f, message, sizeof(message)), 12);
    assert_string_equal(message, "said, filled");
}

static size_t filled_bytes;

static void fill_large(struct stream_fixture *f, enum stream_event event)
{
    if (event != EVENT_FILL)
        return;
    assert_true(f->stream.output.bytes < BYTE_STREAM_OUTPUT_BYTES);
    char piece[1024];
    for (int i = 0; i < 16 && filled_bytes < LARGE_BYTES; i++) {
        for (size_t j = 0; j < sizeof(piece); j++)
            piece[j] = pattern_at(filled_bytes++);
        byte_queue_append(&f->stream.output, piece, sizeof(piece));
    }
}

static void a_slow_reader_gets_everything_and_bounds_the_output(void **state)
{
    struct stream_fixture *f = *state;
    char part[3000];
    size_t taken = 0;
    filled_bytes = 0;
    stream_begin_pair(f, SOCK_STREAM);
    f->on_event = fill_large;
    byte_stream_flush_soon(&f->stream);
    stream_run_idle(f);
    assert_true(filled_bytes < LARGE_BYTES); /* the socket is full, and nobody reads */
    while (taken < LARGE_BYTES) {
        ssize_t got = other_read(f, part, sizeof(part));
        for (ssize_t i = 0; i < got; i++)
            assert_int_equal(part[i], pattern_at(taken++));
        if (got < 0)
            ev_run(f->io.loop.ev, EVRUN_NOWAIT);
        assert_true(f->stream.output.bytes < 2 * BYTE_STREAM_OUTPUT_BYTES);
    }
    assert_int_equal(f->stream.bytes_written, LARGE_BYTES);
    assert_int_equal(f->stream.output.bytes, 0);
}

static void pause_stream(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_BYTES)
        byte_stream_pause(&f->stream);
}

static void nothing_is_read_while_paused(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    f->on_event = pause_stream;
    other_write(f, "one", 3);
    stream_run_until(f, has_received_some);
    other_write(f, "two", 3);
    shutdown(f->other, SHUT_WR);
    stream_run_idle(f);
    assert_int_equal(f->received_bytes, 3);
    assert_int_equal(f->events[EVENT_END], 0);
    assert_false(ev_is_active(&f->stream.readable)); /* the loop would turn for nothing */
    byte_stream_pause(&f->stream);                   /* twice is once */
    byte_stream_resume(&f->stream);
    f->on_event = NULL;
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->received_bytes, 6);
    assert_memory_equal(f->received, "onetwo", 6);
}

static void pausing_ends_the_reads_of_the_turn_too(void **state)
{
    struct stream_fixture *f = *state;
    static char bytes[3 * BUFFER_BYTES];
    stream_begin_pair(f, SOCK_STREAM);
    f->on_event = pause_stream;
    other_write(f, bytes, sizeof(bytes));
    stream_run_until(f, has_received_some);
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_BYTES], 1);
    for (uint32_t i = 2; f->received_bytes < sizeof(bytes); i++) {
        byte_stream_resume(&f->stream);
        stream_run_idle(f);
        assert_int_equal(f->events[EVENT_BYTES], i);
    }
}

static void end_when_all_has_left(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_WRITTEN && f->stream.output.bytes == 0)
        byte_stream_end_output(&f->stream);
}

static void the_last_bytes_come_with_the_end(void **state)
{
    struct stream_fixture *f = *state;
    char message[16] = "";
    stream_begin_loopback(f);
    f->stream.ends_output = true;
    f->on_event = end_when_all_has_left;
    stream_append(f, "hello");
    stream_run_until(f, has_written);
    struct pollfd readable = {.fd = f->other, .events = POLLIN | POLLRDHUP};
    while ((readable.revents & POLLRDHUP) == 0)
        assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    assert_int_equal(other_read(f, message, sizeof(message)), 5);
    assert_int_equal(other_read(f, message, sizeof(message)), 0);
}

static void output_leaves_while_input_is_paused(void **state)
{
    struct stream_fixture *f = *state;
    char message[16] = "";
    stream_begin_pair(f, SOCK_STREAM);
    byte_stream_pause(&f->stream);
    stream_append(f, "hello");
    stream_run_until(f, has_written);
    assert_int_equal(other_read(f, message, sizeof(message)), 5);
}

static struct buffer *kept_buffer;
static const char *kept_data;

static void keep_first_bytes(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_BYTES && kept_buffer == NULL) {
        kept_buffer = buffer_ref(f->buffer);
        kept_data = f->data;
    }
}

static void begin_with_a_full_read(struct stream_fixture *f)
{
    static char bytes[RECEIVED_BYTES / 8];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = pattern_at(i);
    stream_begin_pair(f, SOCK_STREAM);
    f->stream.read_rooms = LONG_ROOMS;
    other_write(f, bytes, sizeof(bytes));
}

static bool has_received_the_long(const struct stream_fixture *f)
{
    return f->received_bytes == RECEIVED_BYTES / 8;
}

static void long_reads_come_in_order_and_each_in_a_buffer_of_its_own(void **state)
{
    struct stream_fixture *f = *state;
    kept_buffer = NULL;
    begin_with_a_full_read(f);
    f->on_event = keep_first_bytes;
    stream_run_until(f, has_received_the_long);
    for (size_t i = 0; i < f->received_bytes; i++)
        assert_int_equal(f->received[i], pattern_at(i));
    for (int i = 0; i < f->io.spare_count; i++)
        assert_int_equal(f->io.spares[i]->references, 1);
    assert_memory_equal(kept_data, f->received, IO_READ_BYTES);
    buffer_unref(kept_buffer);
}

static void close_at_second_piece(struct stream_fixture *f, enum stream_event event)
{
    if (event == EVENT_BYTES && f->events[EVENT_BYTES] == 2)
        byte_stream_close(&f->stream);
}

static bool is_closed(const struct stream_fixture *f)
{
    return f->stream.fd < 0;
}

/* The first read fills its room, so that the second one has more of them. */
static void nothing_more_of_a_long_read_comes_after_close(void **state)
{
    struct stream_fixture *f = *state;
    begin_with_a_full_read(f);
    f->on_event = close_at_second_piece;
    stream_run_until(f, is_closed);
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_BYTES], 2);
    assert_int_equal(f->stream.bytes_read, (1 + LONG_ROOMS) * IO_READ_BYTES);
}

static bool has_received_it_all(const struct stream_fixture *f)
{
    return f->received_bytes == LARGE_BYTES / 4;
}

static void bytes_stay_what_they_were_for_who_holds_their_buffer(void **state)
{
    struct stream_fixture *f = *state;
    static char bytes[LARGE_BYTES / 4];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = pattern_at(i);
    kept_buffer = NULL;
    stream_begin_pair(f, SOCK_STREAM);
    f->on_event = keep_first_bytes;
    other_write(f, bytes, 10);
    stream_run_until(f, has_received_some);
    other_write(f, bytes + 10, sizeof(bytes) - 10);
    stream_run_until(f, has_received_it_all);
    assert_memory_equal(kept_data, bytes, 10);
    assert_memory_equal(f->received, bytes, sizeof(bytes));
    assert_int_equal(f->stream.bytes_read, sizeof(bytes));
    buffer_unref(kept_buffer);
}

static void bytes_before_the_end_come_before_it(void **state)
{
    struct stream_fixture *f = *state;
    static char bytes[100000];
    stream_begin_pair(f, SOCK_STREAM);
    other_write(f, bytes, sizeof(bytes));
    shutdown(f->other, SHUT_WR);
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->received_bytes, sizeof(bytes));
    assert_int_equal(f->end, BYTE_STREAM_EOF);
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_END], 1);
}

static void a_reset_is_told_from_an_orderly_end(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_loopback(f);
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(f->other, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(f->other);
    f->other = -1;
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->end, BYTE_STREAM_RESET);
    assert_int_equal(f->events[EVENT_END], 1);
}

static void writing_to_who_is_gone_ends_once_and_raises_no_signal(void **state)
{
    struct stream_fixture *f = *state;
    stream_begin_pair(f, SOCK_STREAM);
    byte_stream_pause(&f->stream);
    close(f->other);
    f->other = -1;
    stream_append(f, "anybody?");
    stream_run_until(f, stream_has_ended);
    assert_int_equal(f->end, BYTE_STREAM_RESET);
    stream_append(f, "really?");
    stream_run_idle(f);
    assert_int_equal(f->events[EVENT_END], 1);
    assert_int_equal(f->events[EVENT_WRITTEN], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(all_output_of_a_turn_leaves_in_one_write),
        STREAM_TEST(what_is_flushed_now_has_left_and_the_end_of_the_turn_adds_nothing),
        STREAM_TEST(a_fault_of_what_is_flushed_now_comes_later),
        STREAM_TEST(what_has_no_room_now_leaves_later),
        STREAM_TEST(what_may_wait_leaves_at_leisure_or_with_what_may_not),
        STREAM_TEST(what_is_filled_in_before_a_write_leaves_with_it),
        STREAM_TEST(a_slow_reader_gets_everything_and_bounds_the_output),
        STREAM_TEST(nothing_is_read_while_paused),
        STREAM_TEST(pausing_ends_the_reads_of_the_turn_too),
        STREAM_TEST(long_reads_come_in_order_and_each_in_a_buffer_of_its_own),
        STREAM_TEST(nothing_more_of_a_long_read_comes_after_close),
        STREAM_TEST(output_leaves_while_input_is_paused),
        STREAM_TEST(the_last_bytes_come_with_the_end),
        STREAM_TEST(bytes_stay_what_they_were_for_who_holds_their_buffer),
        STREAM_TEST(bytes_before_the_end_come_before_it),
        STREAM_TEST(a_reset_is_told_from_an_orderly_end),
        STREAM_TEST(writing_to_who_is_gone_ends_once_and_raises_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
