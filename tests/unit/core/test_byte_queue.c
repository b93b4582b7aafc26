#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/byte_queue.h"

struct fixture {
    struct buffer_pool pool;
    struct byte_queue queue;
    struct byte_queue other;
    struct buffer *source; /* filled with different bytes */
};

static int set_up(void **state)
{
    static struct fixture fixture;
    buffer_pool_init(&fixture.pool, 4);
    byte_queue_init(&fixture.queue, &fixture.pool);
    byte_queue_init(&fixture.other, &fixture.pool);
    fixture.source = buffer_new(&fixture.pool);
    for (size_t i = 0; i < BUFFER_BYTES; i++)
        fixture.source->bytes[i] = (char)(i * 31 + i / 256);
    fixture.source->used = BUFFER_BYTES;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    byte_queue_done(&f->queue);
    byte_queue_done(&f->other);
    buffer_unref(f->source);
    assert_int_equal(f->pool.live, 0);
    buffer_pool_done(&f->pool);
    return 0;
}

static void assert_content(const struct byte_queue *queue, const char *expected, size_t length)
{
    static char copy[4 * BUFFER_BYTES];
    assert_int_equal(queue->bytes, length);
    assert_int_equal(byte_queue_copy_out(queue, copy, sizeof(copy)), length);
    assert_memory_equal(copy, expected, length);
}

static void small_pieces_are_copied_and_large_ones_are_referenced(void **state)
{
    struct fixture *f = *state;
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, BYTE_QUEUE_SHARE_BYTES - 1);
    assert_int_equal(f->source->references, 1);
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes + BYTE_QUEUE_SHARE_BYTES - 1,
                            BYTE_QUEUE_SHARE_BYTES);
    assert_int_equal(f->source->references, 2);
    assert_content(&f->queue, f->source->bytes, 2 * BYTE_QUEUE_SHARE_BYTES - 1);
}

static void bytes_without_a_buffer_are_copied_however_many(void **state)
{
    struct fixture *f = *state;
    static char borrowed[3 * BUFFER_BYTES];
    memset(borrowed, 'a', sizeof(borrowed));
    byte_queue_append_slice(&f->queue, NULL, borrowed, sizeof(borrowed));
    memset(borrowed, 'b', sizeof(borrowed));
    char first;
    assert_int_equal(byte_queue_copy_out(&f->queue, &first, 1), 1);
    assert_int_equal(first, 'a');
    memset(borrowed, 'a', sizeof(borrowed));
    assert_content(&f->queue, borrowed, sizeof(borrowed));
}

static void small_pieces_share_one_buffer(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1000; i++)
        byte_queue_append(&f->queue, "0123456789", 10);
    assert_int_equal(f->pool.live, 2); /* and the source */
    struct iovec vectors[4];
    assert_int_equal(byte_queue_peek(&f->queue, vectors, 4), 1);
    assert_int_equal(vectors[0].iov_len, 10000);
}

static void a_referenced_slice_outlives_its_owners_reference(void **state)
{
    struct fixture *f = *state;
    struct buffer *buffer = buffer_new(&f->pool);
    memset(buffer->bytes, 'q', 5000);
    buffer->used = 5000;
    byte_queue_append_slice(&f->queue, buffer, buffer->bytes, 5000);
    buffer_unref(buffer);
    assert_int_equal(f->pool.live, 2);
    char last;
    byte_queue_consume(&f->queue, 4999);
    assert_int_equal(byte_queue_copy_out(&f->queue, &last, 1), 1);
    assert_int_equal(last, 'q');
    byte_queue_consume(&f->queue, 1);
    assert_int_equal(f->pool.live, 1);
}

static void nothing_is_written_behind_a_slice_that_somebody_else_still_holds(void **state)
{
    struct fixture *f = *state;
    f->source->used = 5000; /* there would be room */
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, 5000);
    char before = f->source->bytes[5000];
    char other = (char)(before + 1);
    byte_queue_append(&f->queue, &other, 1);
    assert_int_equal(f->source->bytes[5000], before);
    assert_int_equal(f->source->used, 5000);
}

static void consuming_crosses_slices_and_lets_buffers_go(void **state)
{
    struct fixture *f = *state;
    byte_queue_append(&f->queue, "abc", 3);
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, 8000);
    byte_queue_append(&f->queue, "xyz", 3);
    byte_queue_consume(&f->queue, 2);
    byte_queue_consume(&f->queue, 0);
    byte_queue_consume(&f->queue, 1 + 8000 + 1);
    assert_content(&f->queue, "yz", 2);
    assert_int_equal(f->source->references, 1);
    byte_queue_consume(&f->queue, 100); /* at most what is there */
    assert_content(&f->queue, "", 0);
    assert_int_equal(f->pool.live, 1);
    byte_queue_append(&f->queue, "again", 5);
    assert_content(&f->queue, "again", 5);
}

static void moving_takes_from_the_front_and_keeps_the_order(void **state)
{
    struct fixture *f = *state;
    byte_queue_append(&f->other, "<", 1);
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, 10000);
    byte_queue_append(&f->queue, "tail", 4);
    byte_queue_move(&f->other, &f->queue, 6000);
    assert_int_equal(f->queue.bytes, 4004);
    assert_int_equal(f->other.bytes, 6001);
    byte_queue_move(&f->other, &f->queue, 100000);
    assert_int_equal(f->queue.bytes, 0);
    byte_queue_consume(&f->other, 1);
    static char expected[10004];
    memcpy(expected, f->source->bytes, 10000);
    memcpy(expected + 10000, "tail", 4);
    assert_content(&f->other, expected, sizeof(expected));
}

static void moving_small_parts_pins_no_large_buffer(void **state)
{
    struct fixture *f = *state;
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, 8000);
    byte_queue_move(&f->other, &f->queue, BYTE_QUEUE_SHARE_BYTES - 1);
    assert_int_equal(f->source->references, 2); /* the first queue's */
    byte_queue_clear(&f->queue);
    assert_int_equal(f->source->references, 1);
    assert_content(&f->other, f->source->bytes, BYTE_QUEUE_SHARE_BYTES - 1);
}

static void moving_nothing_from_an_empty_queue_ends(void **state)
{
    struct fixture *f = *state;
    byte_queue_move(&f->other, &f->queue, 10);
    byte_queue_reserve(&f->queue, 100); /* a slice without bytes */
    byte_queue_move(&f->other, &f->queue, 10);
    assert_int_equal(f->other.bytes, 0);
}

static void what_was_reserved_counts_when_it_is_committed(void **state)
{
    struct fixture *f = *state;
    char *room = byte_queue_reserve(&f->queue, BUFFER_BYTES);
    memset(room, 'r', BUFFER_BYTES);
    assert_int_equal(f->queue.bytes, 0);
    struct iovec vector;
    assert_int_equal(byte_queue_peek(&f->queue, &vector, 1), 0);
    byte_queue_commit(&f->queue, 10);
    assert_content(&f->queue, "rrrrrrrrrr", 10);
    memcpy(byte_queue_reserve(&f->queue, 3), "end", 3);
    byte_queue_commit(&f->queue, 3);
    assert_content(&f->queue, "rrrrrrrrrrend", 13);
    assert_int_equal(f->pool.live, 2);
}

static void a_reservation_that_does_not_fit_begins_another_buffer(void **state)
{
    struct fixture *f = *state;
    byte_queue_append(&f->queue, "a", 1);
    memset(byte_queue_reserve(&f->queue, BUFFER_BYTES), 'b', BUFFER_BYTES);
    byte_queue_commit(&f->queue, BUFFER_BYTES);
    struct iovec vectors[3];
    assert_int_equal(byte_queue_peek(&f->queue, vectors, 3), 2);
    assert_int_equal(vectors[0].iov_len, 1);
    assert_int_equal(vectors[1].iov_len, BUFFER_BYTES);
    assert_int_equal(f->queue.bytes, BUFFER_BYTES + 1);
}

static void peeking_gives_no_more_vectors_than_asked_for(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 6; i++)
        byte_queue_append_slice(&f->queue, f->source, f->source->bytes + i, 5000);
    struct iovec vectors[6];
    assert_int_equal(byte_queue_peek(&f->queue, vectors, 2), 2);
    assert_ptr_equal(vectors[1].iov_base, f->source->bytes + 1);
    byte_queue_consume(&f->queue, 5000 + 10);
    assert_int_equal(byte_queue_peek(&f->queue, vectors, 6), 5);
    assert_ptr_equal(vectors[0].iov_base, f->source->bytes + 1 + 10);
    assert_int_equal(vectors[0].iov_len, 4990);
    assert_int_equal(f->source->references, 1 + 5);
}

static void a_short_slice_joins_the_long_one_behind_it(void **state)
{
    struct fixture *f = *state;
    struct iovec vector;
    byte_queue_append(&f->queue, "123456789", BYTE_QUEUE_JOIN_BYTES);
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes + 9, 5000);
    char after = f->source->bytes[9];
    byte_queue_join(&f->queue);
    assert_int_equal(byte_queue_peek(&f->queue, &vector, 1), 1);
    assert_int_equal(vector.iov_len, 5009);
    assert_int_equal(f->queue.bytes, 5009);
    assert_memory_equal(vector.iov_base, "123456789", 9);
    assert_int_equal(f->source->bytes[9], after);
    assert_int_equal(f->pool.live, 1);
    byte_queue_join(&f->queue); /* alone: nothing to do */
    assert_int_equal(f->queue.bytes, 5009);
}

static void slices_do_not_join_without_room_or_when_the_first_is_long(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {9, BYTE_QUEUE_JOIN_BYTES + 1};
    static const size_t places[] = {8, 1000};
    for (int i = 0; i < 2; i++) {
        byte_queue_append(&f->queue, "1234567890", lengths[i]);
        byte_queue_append_slice(&f->queue, f->source, f->source->bytes + places[i], 5000);
        byte_queue_join(&f->queue);
        assert_int_equal(byte_queue_first_length(&f->queue), lengths[i]);
        byte_queue_clear(&f->queue);
    }
    byte_queue_append(&f->queue, "123456789", 9);
    byte_queue_join(&f->queue);
    assert_content(&f->queue, "123456789", 9);
}

static void only_a_small_end_is_where_bytes_are_copied_together(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(byte_queue_first_length(&f->queue), 0);
    assert_int_equal(byte_queue_small_end(&f->queue), 0);
    byte_queue_append_slice(&f->queue, f->source, f->source->bytes, 5000);
    assert_int_equal(byte_queue_first_length(&f->queue), 5000);
    assert_int_equal(byte_queue_small_end(&f->queue), 0);
    byte_queue_append(&f->queue, "end", 3);
    assert_int_equal(byte_queue_small_end(&f->queue), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_pieces_are_copied_and_large_ones_are_referenced),
        TEST(bytes_without_a_buffer_are_copied_however_many),
        TEST(small_pieces_share_one_buffer),
        TEST(a_referenced_slice_outlives_its_owners_reference),
        TEST(nothing_is_written_behind_a_slice_that_somebody_else_still_holds),
        TEST(consuming_crosses_slices_and_lets_buffers_go),
        TEST(moving_takes_from_the_front_and_keeps_the_order),
        TEST(moving_small_parts_pins_no_large_buffer),
        TEST(moving_nothing_from_an_empty_queue_ends),
        TEST(what_was_reserved_counts_when_it_is_committed),
        TEST(a_reservation_that_does_not_fit_begins_another_buffer),
        TEST(peeking_gives_no_more_vectors_than_asked_for),
        TEST(a_short_slice_joins_the_long_one_behind_it),
        TEST(slices_do_not_join_without_room_or_when_the_first_is_long),
        TEST(only_a_small_end_is_where_bytes_are_copied_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
