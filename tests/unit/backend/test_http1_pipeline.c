/* Several requests on one connection: whose answer is whose, and when nobody can tell. */
#include "tests/unit/backend/pipeline_fixture.h"

#include <string.h>
#include <sys/socket.h>

static void requests_of_one_turn_leave_together_and_each_gets_its_answer(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        copies_ask(f, 3);
        copies_answer(f, ANSWER("a") ANSWER("b") ANSWER("c"));
        copies_assert_answered(0, "200 a.");
        copies_assert_answered(1, "200 b.");
        copies_assert_answered(2, "200 c.");
    }
    assert_int_equal(f->accepted, 1);
    assert_int_equal(f->pool->connection_count, 1);
}

static void answers_of_every_kind_are_told_apart_wherever_they_are_cut(void **state)
{
    static const char answers[] =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n"
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\n" ANSWER(
            "b") "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"; /* to HEAD */
    struct http1_fixture *f = *state;
    for (size_t cut = 1; cut < sizeof(answers) - 1; cut++) {
        copy_ask(f, 0, METHOD_GET);
        copy_ask(f, 1, METHOD_GET);
        copy_ask(f, 2, METHOD_HEAD);
        http1_turn(f);
        http1_answer(f, answers, cut);
        http1_answer(f, answers + cut, sizeof(answers) - 1 - cut);
        copies_assert_answered(0, "200 abc.");
        copies_assert_answered(1, "100 103 200 b.");
        copies_assert_answered(2, "200 .");
    }
    assert_int_equal(f->accepted, 1);
}

static void no_more_than_the_depth_are_on_one_connection(void **state)
{
    struct http1_fixture *f = *state;
    for (int i = 0; i < DEPTH; i++)
        copy_ask(f, i, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 1);
    copy_ask(f, DEPTH, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 0; i < COPIES; i++) {
        if (copies[i].stream != NULL)
            copy_close(&copies[i]);
    }
    copies_assert_all_closed(f);
}

static void who_is_slow_holds_up_only_those_of_its_turn(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    copy_ask(f, 2, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 1; i < 3; i++)
        copy_close(&copies[i]);
    copies_assert_failed(0, BACKEND_FAULT_RESET);
    copies_assert_all_closed(f);
}

static void what_is_more_than_a_head_goes_alone(void **state)
{
    struct http1_fixture *f = *state;
    f->request.has_body = true;
    f->request.content_length = 1;
    copy_ask(f, 0, METHOD_GET);
    f->request.has_body = false;
    copy_ask(f, 1, METHOD_POST);
    copy_ask(f, 2, METHOD_OPTIONS);
    assert_int_equal(f->pool->connection_count, 3);
    assert_true(list_is_empty(&f->pool->pipelines));
    for (int i = 0; i < 3; i++)
        copy_close(&copies[i]);
    copies_assert_all_closed(f);
}

static void a_malformed_answer_fails_all_that_wait_behind_it(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 3);
    copies_answer(f, ANSWER("a") "HTTP/1.1 2x0 OK\r\n\r\n" ANSWER("c"));
    copies_assert_answered(0, "200 a.");
    copies_assert_failed(1, BACKEND_FAULT_MALFORMED);
    copies_assert_failed(2, BACKEND_FAULT_MALFORMED);
    copies_assert_all_closed(f);
}

static void a_head_that_is_too_large_fails_all_that_wait(void **state)
{
    static char field[BACKEND_HEADER_BYTES + 64];
    struct http1_fixture *f = *state;
    copies_ask(f, 2);
    copies_answer(f, "HTTP/1.1 200 OK\r\nx: ");
    memset(field, 'x', sizeof(field));
    for (size_t sent = 0; sent < sizeof(field) && !copies[0].failed; sent += 4096)
        http1_answer(f, field, 4096);
    copies_assert_failed(0, BACKEND_FAULT_HEADER_LIMIT);
    copies_assert_failed(1, BACKEND_FAULT_HEADER_LIMIT);
    copies_assert_all_closed(f);
}

static void an_answer_that_nobody_asked_for_closes_the_connection(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 1);
    copies_answer(f, ANSWER("a") ANSWER("b"));
    copies_assert_answered(0, "200 a.");
    copies_assert_all_closed(f);
    copies_ask(f, 1);
    copies_answer(f, ANSWER("c"));
    copies_assert_answered(0, "200 c.");
    copies_answer(f, ANSWER("d"));
    copies_assert_all_closed(f);
}

static void an_answer_that_came_before_the_request_is_not_its_own(void **state)
{
    struct http1_fixture *f = *state;
    copies_ask(f, 1);
    copies_answer(f, ANSWER("a"));
    /* The loop has not told yet. */
    assert_int_equal(send(f->backend, ANSWER("b"), strlen(ANSWER("b")), MSG_NOSIGNAL),
                     strlen(ANSWER("b")));
    copies_ask(f, 1);
    assert_int_equal(f->accepted, 2);
    copies_answer(f, ANSWER("c"));
    copies_assert_answered(0, "200 c.");
}

static void an_answer_that_came_while_its_request_waited_for_room_is_not_its_own(void **state)
{
    static char path[1 << 20];
    struct http1_fixture *f = *state;
    memset(path, '/', sizeof(path));
    f->request.path = strview_make(path, sizeof(path));
    copy_ask(f, 0, METHOD_GET);
    copy_ask(f, 1, METHOD_GET);
    http1_turn(f); /* the endpoint reads nothing: it has not had the first as a whole */
    copies_answer(f, ANSWER("a") ANSWER("b"));
    copies_assert_answered(0, "200 a.");
    assert_true(copies[1].failed);
    assert_false(copies[1].sent);
    copies_assert_all_closed(f);
}

/* And those that follow have connections of their own. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP1_TEST(requests_of_one_turn_leave_together_and_each_gets_its_answer),
        HTTP1_TEST(answers_of_every_kind_are_told_apart_wherever_they_are_cut),
        HTTP1_TEST(no_more_than_the_depth_are_on_one_connection),
        HTTP1_TEST(who_is_slow_holds_up_only_those_of_its_turn),
        HTTP1_TEST(what_is_more_than_a_head_goes_alone),
        HTTP1_TEST(a_malformed_answer_fails_all_that_wait_behind_it),
        HTTP1_TEST(a_head_that_is_too_large_fails_all_that_wait),
        HTTP1_TEST(an_answer_that_nobody_asked_for_closes_the_connection),
        HTTP1_TEST(an_answer_that_came_before_the_request_is_not_its_own),
        HTTP1_TEST(an_answer_that_came_while_its_request_waited_for_room_is_not_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
