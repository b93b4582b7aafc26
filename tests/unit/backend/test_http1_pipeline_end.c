/* How connections for several requests end, and what becomes of who waits on them. */
#include "tests/unit/backend/pipeline_fixture.h"

#include <unistd.h>

static void assert_no_more_pipelines(struct http1_fixture *f)
{
    copies_assert_all_closed(f);
    copy_ask(f, 0, METHOD_GET);
    copy_ask(f, 1, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    copy_close(&copies[0]);
    copy_close(&copies[1]);
    copies_assert_all_closed(f);
}

static void behind_an_answer_that_says_close_all_fail_and_nothing_is_pipelined_again(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 3);
    copies_answer(
        f, ANSWER("a") "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nb" ANSWER(
               "c"));
    copies_assert_answered(0, "200 a.");
    copies_assert_answered(1, "200 b.");
    copies_assert_failed(2, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void a_connection_gets_no_more_copies_than_one_that_was_ended_after_many(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 32; round++) {
        copies_ask(f, 2);
        copies_answer(f, round < 31 ? ANSWER("a") ANSWER("b")
                                    : ANSWER("a") "HTTP/1.1 200 OK\r\nconnection: close\r\n"
                                                  "content-length: 1\r\n\r\nb");
        copies_assert_answered(1, "200 b.");
    }
    copies_assert_all_closed(f);
    assert_int_equal(f->pool->pipeline_length, 64);
}

static void a_connection_ends_with_the_last_copy_that_it_may_have(void **state)
{
    struct http1_fixture *f = *state;
    f->pool->pipeline_length = DEPTH;
    copies_ask(f, 2);
    copies_answer(f, ANSWER("a") ANSWER("b"));
    copies_ask(f, 1);
    copies_answer(f, ANSWER("c"));
    copies_assert_answered(0, "200 c.");
    assert_int_equal(f->pool->connection_count, 0);
    for (int i = 0; i < COPIES; i++)
        copy_ask(f, i, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 0; i < COPIES; i += 3) /* the others are behind the first */
        copy_close(&copies[i]);
    copies_assert_all_closed(f);
}

static void an_answer_of_http10_ends_pipelines_even_when_it_says_keep_alive(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    copies_answer(
        f, "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na" ANSWER("b"));
    copies_assert_answered(0, "200 a.");
    copies_assert_failed(1, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void an_answer_that_ends_with_the_connection_ends_pipelines(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    copies_answer(f, "HTTP/1.1 200 OK\r\n\r\nabc");
    http1_close_backend(f);
    http1_turn(f);
    copies_assert_answered(0, "200 abc.");
    copies_assert_failed(1, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void all_that_wait_fail_when_the_connection_is_closed(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 3);
    copies_answer(f, ANSWER("a") "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nb");
    http1_close_backend(f);
    http1_turn(f);
    copies_assert_answered(0, "200 a.");
    copies_assert_failed(1, BACKEND_FAULT_RESET);
    copies_assert_failed(2, BACKEND_FAULT_RESET);
    copies_assert_all_closed(f);
    copies_ask(f, 2); /* that happens: they go together again */
    copies_answer(f, ANSWER("a") ANSWER("b"));
    copies_assert_answered(1, "200 b.");
}

static void one_that_is_given_up_takes_all_others_with_it(void **state)
{
    struct http1_fixture *f = *state;
    for (int which = 0; which < 3; which++) {
        copies_ask(f, 3);
        copies_answer(f, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
        copy_close(&copies[which]);
        for (int i = 0; i < 3; i++) {
            if (i != which)
                copies_assert_failed(i, BACKEND_FAULT_RESET);
        }
        copies_assert_all_closed(f);
    }
    assert_int_equal(f->accepted, 3);
}

static void the_rest_of_an_answer_that_nobody_wants_is_read_for_those_behind_it(void **state)
{
    static const char zeros[50000];
    struct http1_fixture *f = *state;
    copies_ask(f, 3);
    copies_answer(f, "HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\na");
    copy_close(&copies[0]);
    http1_answer(f, zeros, sizeof(zeros));
    copy_ask(f, 3, METHOD_GET); /* not behind this one */
    assert_int_equal(f->pool->connection_count, 2);
    copy_close(&copies[3]);
    http1_answer(f, zeros, sizeof(zeros));
    copies_answer(f, ANSWER("b") ANSWER("c"));
    assert_string_equal(copies[0].text, "200 a");
    copies_assert_answered(1, "200 b.");
    copies_assert_answered(2, "200 c.");
    copies_ask(f, 2);
    copies[0].closes_at_head = true;
    copies_answer(f, ANSWER("a") ANSWER("b"));
    assert_string_equal(copies[0].text, "200 ");
    copies_assert_answered(1, "200 b.");
    assert_int_equal(f->pool->connection_count, 1);
    assert_int_equal(f->accepted, 1);
}

static void too_long_a_rest_is_read_for_nobody(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    copies[0].closes_at_head = true;
    copies_answer(f, "HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n");
    copies_assert_failed(1, BACKEND_FAULT_RESET);
    copies_assert_all_closed(f);
}

static void who_waits_behind_a_long_answer_takes_all_others_along_when_it_is_given_up(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        copies_ask(f, 3);
        copies[0].closes_at_head = round == 1;
        copies_answer(f, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        assert_false(copies[0].failed || copies[1].failed);
        copy_close(&copies[1]);
        assert_int_equal(copies[0].failed, round == 0);
        copies_assert_failed(2, BACKEND_FAULT_RESET);
        copies_assert_all_closed(f);
    }
}

static void what_has_not_left_has_not_been_sent_when_it_fails(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 1);
    copies_answer(f, ANSWER("a"));
    for (int i = 0; i < 3; i++)
        copy_ask(f, i, METHOD_GET);
    copy_close(&copies[1]);
    assert_false(copies[1].sent);
    assert_true(copies[0].failed && copies[2].failed);
    assert_false(copies[0].sent || copies[2].sent);
    copies_assert_all_closed(f);
}

static void all_fail_unsent_when_there_is_no_connection(void **state)
{
    struct http1_fixture *f = *state;
    close(f->listener);
    f->listener = -1;
    for (int i = 0; i < 3; i++)
        copy_ask(f, i, METHOD_GET);
    http1_turn(f);
    for (int i = 0; i < 3; i++) {
        assert_true(copies[i].failed);
        assert_int_equal(copies[i].fault, BACKEND_FAULT_CONNECT);
        assert_false(copies[i].sent);
    }
    copies_assert_all_closed(f);
}

static void an_endpoint_that_is_named_no_more_loses_its_connections_as_they_end(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    backend_pools_retire(&f->pools, NULL, 0);
    copies_answer(f, ANSWER("a"));
    assert_int_equal(f->pool->connection_count, 1);
    copies_answer(f, ANSWER("b"));
    copies_assert_answered(1, "200 b.");
    copies_assert_all_closed(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP1_TEST(behind_an_answer_that_says_close_all_fail_and_nothing_is_pipelined_again),
        HTTP1_TEST(a_connection_gets_no_more_copies_than_one_that_was_ended_after_many),
        HTTP1_TEST(a_connection_ends_with_the_last_copy_that_it_may_have),
        HTTP1_TEST(an_answer_of_http10_ends_pipelines_even_when_it_says_keep_alive),
        HTTP1_TEST(an_answer_that_ends_with_the_connection_ends_pipelines),
        HTTP1_TEST(all_that_wait_fail_when_the_connection_is_closed),
        HTTP1_TEST(one_that_is_given_up_takes_all_others_with_it),
        HTTP1_TEST(the_rest_of_an_answer_that_nobody_wants_is_read_for_those_behind_it),
        HTTP1_TEST(too_long_a_rest_is_read_for_nobody),
        HTTP1_TEST(who_waits_behind_a_long_answer_takes_all_others_along_when_it_is_given_up),
        HTTP1_TEST(what_has_not_left_has_not_been_sent_when_it_fails),
        HTTP1_TEST(all_fail_unsent_when_there_is_no_connection),
        HTTP1_TEST(an_endpoint_that_is_named_no_more_loses_its_connections_as_they_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
