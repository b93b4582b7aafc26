/* What a request waits for before it leaves towards its endpoint. */
#include "tests/unit/backend/http1_fixture.h"

#include <sys/socket.h>

#include "proxy/net/byte_stream.h"

enum { SHORT_BYTES = 10, LONG_BYTES = 200000 };

/* A POST on a kept connection, of which nothing has left yet. */
static void begin_post(struct http1_fixture *f, int64_t content_length)
{
    char before[1024];
    http1_exchange(f, http1_good_answer);
    while (recv(f->backend, before, sizeof(before), MSG_DONTWAIT) > 0)
        continue;
    f->request.method = METHOD_POST;
    f->request.method_text = STRVIEW("POST");
    f->request.has_body = true;
    f->request.content_length = content_length;
    http1_open(f);
}

/* How much one read of the endpoint gets; 0 when there is nothing. */
static size_t read_some(struct http1_fixture *f)
{
    static char bytes[LONG_BYTES];
    ssize_t length = recv(f->backend, bytes, sizeof(bytes), MSG_DONTWAIT);
    return length > 0 ? (size_t)length : 0;
}

/* The end of a turn that was not the last of its kind: more may be waiting to be read. */
static size_t read_after_tasks(struct http1_fixture *f)
{
    loop_run_tasks(&f->io.loop);
    return read_some(f);
}

static size_t read_after_leisure(struct http1_fixture *f)
{
    http1_turn(f);
    return read_some(f);
}

static void send_body(struct http1_fixture *f, size_t length)
{
    static const char bytes[LONG_BYTES];
    backend_stream_send_body(f->stream, NULL, bytes, length);
}

static void a_body_of_known_length_gathers_with_its_head_until_it_is_whole(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, SHORT_BYTES);
    assert_int_equal(read_after_tasks(f), 0);
    send_body(f, SHORT_BYTES - 1);
    assert_int_equal(read_after_tasks(f), 0);
    send_body(f, 1);
    assert_in_range(read_after_tasks(f), SHORT_BYTES + 1, 1024);
    http1_close(f);
}

static void what_has_gathered_leaves_when_nothing_more_comes(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, SHORT_BYTES);
    assert_in_range(read_after_leisure(f), 1, 1024);
    for (int i = 1; i < SHORT_BYTES; i++) {
        send_body(f, 1);
        assert_int_equal(read_after_tasks(f), 0);
        assert_int_equal(read_after_leisure(f), 1);
    }
    send_body(f, 1);
    assert_int_equal(read_after_tasks(f), 1);
    http1_close(f);
}

static void no_more_than_one_long_piece_gathers(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, LONG_BYTES);
    assert_true(read_after_leisure(f) > 0);
    send_body(f, BYTE_STREAM_OUTPUT_BYTES - 1);
    assert_int_equal(read_after_tasks(f), 0);
    send_body(f, 1);
    assert_int_equal(read_after_tasks(f), BYTE_STREAM_OUTPUT_BYTES);
    http1_close(f);
}

static void a_body_without_a_length_waits_for_nothing(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, CONTENT_LENGTH_UNKNOWN);
    assert_true(read_after_tasks(f) > 0);
    send_body(f, 1);
    assert_true(read_after_tasks(f) > 0);
    http1_close(f);
}

static void a_request_that_still_gathers_when_its_connection_ends_was_not_processed(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, SHORT_BYTES);
    send_body(f, 1);
    assert_false(backend_stream_is_sent(f->stream));
    http1_close_backend(f);
    http1_turn(f);
    http1_assert_failed(f, BACKEND_FAULT_RESET, true, true);
    http1_close(f);
}

static void a_request_that_is_given_up_before_it_leaves_costs_no_connection(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, SHORT_BYTES);
    send_body(f, 1);
    http1_close(f);
    assert_int_equal(read_after_leisure(f), 0);
    f->request.has_body = false;
    f->request.content_length = CONTENT_LENGTH_UNKNOWN;
    http1_exchange(f, http1_good_answer);
    assert_false(f->outcome.failed);
    assert_int_equal(f->accepted, 1);
}

static void what_gathers_when_a_request_is_given_up_never_leaves(void **state)
{
    struct http1_fixture *f = *state;
    begin_post(f, SHORT_BYTES);
    http1_turn(f); /* its head has left */
    assert_true(read_some(f) > 0);
    send_body(f, 1);
    http1_close(f);
    http1_turn(f);
    assert_int_equal(read_some(f), 0);
    assert_int_equal(f->pool->connection_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP1_TEST(a_body_of_known_length_gathers_with_its_head_until_it_is_whole),
        HTTP1_TEST(what_has_gathered_leaves_when_nothing_more_comes),
        HTTP1_TEST(no_more_than_one_long_piece_gathers),
        HTTP1_TEST(a_body_without_a_length_waits_for_nothing),
        HTTP1_TEST(a_request_that_still_gathers_when_its_connection_ends_was_not_processed),
        HTTP1_TEST(a_request_that_is_given_up_before_it_leaves_costs_no_connection),
        HTTP1_TEST(what_gathers_when_a_request_is_given_up_never_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
