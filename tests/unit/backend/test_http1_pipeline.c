/* Several requests on one connection: whose answer is whose, and when nobody can tell. */
#include "tests/unit/backend/http1_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { COPIES = 4, DEPTH = 3, ANSWER_BYTES = 256 };

/* One request, closed by its owner as soon as it is over. */
struct copy {
    struct backend_request request;
    struct backend_stream *stream;
    char text[ANSWER_BYTES]; /* the answer: status, content, and '.' at its end */
    bool closes_at_head;
    bool failed;
    bool sent; /* when it was over */
    enum backend_fault fault;
};

/* The requests of a test, anew in each. */
static struct copy copies[COPIES];

static void add_text(struct copy *copy, const char *data, size_t length)
{
    size_t used = strlen(copy->text);
    assert_true(used + length < ANSWER_BYTES);
    memcpy(copy->text + used, data, length);
    copy->text[used + length] = '\0';
}

static void close_copy(struct copy *copy)
{
    copy->sent = backend_stream_is_sent(copy->stream);
    backend_stream_close(copy->stream);
    copy->stream = NULL;
}

static void on_head(void *owner, const struct response_head *head)
{
    struct copy *copy = owner;
    char text[16];
    snprintf(text, sizeof(text), "%d ", head->status);
    add_text(owner, text, strlen(text));
    if (copy->closes_at_head)
        close_copy(copy);
}

static void on_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    (void)buffer;
    add_text(owner, data, length);
}

static void on_end(void *owner, const struct headers *trailers)
{
    (void)trailers;
    add_text(owner, ".", 1);
    close_copy(owner);
}

static void on_request_consumed(void *owner, size_t length)
{
    (void)owner, (void)length;
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    struct copy *copy = owner;
    copy->failed = true;
    copy->fault = fault;
    (void)unprocessed, (void)reused;
    close_copy(copy);
}

static const struct backend_stream_events events = {
    .on_interim_head = on_head,
    .on_response_head = on_head,
    .on_response_body = on_body,
    .on_response_end = on_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

static void ask(struct http1_fixture *f, int number, enum http_method method)
{
    static const struct timeouts timeouts = {0};
    struct copy *copy = &copies[number];
    memset(copy, 0, sizeof(*copy));
    copy->request = f->request;
    copy->request.method = method;
    copy->request.method_text = method == METHOD_HEAD ? STRVIEW("HEAD") : STRVIEW("GET");
    struct backend_stream_options options = {
        .request = &copy->request,
        .timeouts = &timeouts,
        .limits = &f->limits,
        .at_once = true,
        .events = &events,
        .owner = copy,
        .arena = &f->arena,
    };
    copy->stream = backend_pool_open_pipelined(f->pool, &options, DEPTH);
    assert_non_null(copy->stream);
}

/* In one turn, on a connection that is there: what is read here has left in one piece. */
static void ask_some(struct http1_fixture *f, int count)
{
    char bytes[1024];
    for (int i = 0; i < count; i++)
        ask(f, i, METHOD_GET);
    http1_turn(f);
    ssize_t length = recv(f->backend, bytes, sizeof(bytes), MSG_DONTWAIT);
    assert_true(length > 0);
    int heads = 0;
    for (ssize_t i = 0; i + 4 <= length; i++)
        heads += memcmp(bytes + i, "\r\n\r\n", 4) == 0;
    assert_int_equal(heads, count);
}

static void say(struct http1_fixture *f, const char *text)
{
    http1_answer(f, text, strlen(text));
}

static void assert_answered(int number, const char *text)
{
    assert_false(copies[number].failed);
    assert_string_equal(copies[number].text, text);
}

static void assert_failed(int number, enum backend_fault fault)
{
    assert_true(copies[number].failed);
    assert_true(copies[number].sent);
    assert_int_equal(copies[number].fault, fault);
    assert_null(strchr(copies[number].text, '.'));
}

static void assert_all_closed(struct http1_fixture *f)
{
    assert_int_equal(f->pool->in_flight, 0);
    assert_int_equal(f->pool->connection_count, 0);
}

/* "200 LETTER." */
#define ANSWER(letter) "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" letter

static void requests_of_one_turn_leave_together_and_each_gets_its_answer(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        ask_some(f, 3);
        say(f, ANSWER("a") ANSWER("b") ANSWER("c"));
        assert_answered(0, "200 a.");
        assert_answered(1, "200 b.");
        assert_answered(2, "200 c.");
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
        ask(f, 0, METHOD_GET);
        ask(f, 1, METHOD_GET);
        ask(f, 2, METHOD_HEAD);
        http1_turn(f);
        http1_answer(f, answers, cut);
        http1_answer(f, answers + cut, sizeof(answers) - 1 - cut);
        assert_answered(0, "200 abc.");
        assert_answered(1, "100 103 200 b.");
        assert_answered(2, "200 .");
    }
    assert_int_equal(f->accepted, 1);
}

static void no_more_than_the_depth_are_on_one_connection(void **state)
{
    struct http1_fixture *f = *state;
    for (int i = 0; i < DEPTH; i++)
        ask(f, i, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 1);
    ask(f, DEPTH, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 0; i < COPIES; i++) {
        if (copies[i].stream != NULL)
            close_copy(&copies[i]);
    }
    assert_all_closed(f);
}

static void who_is_slow_holds_up_only_those_of_its_turn(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    ask(f, 2, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 1; i < 3; i++)
        close_copy(&copies[i]);
    assert_failed(0, BACKEND_FAULT_RESET);
    assert_all_closed(f);
}

static void what_is_more_than_a_head_goes_alone(void **state)
{
    struct http1_fixture *f = *state;
    f->request.has_body = true;
    f->request.content_length = 1;
    ask(f, 0, METHOD_GET);
    f->request.has_body = false;
    ask(f, 1, METHOD_POST);
    ask(f, 2, METHOD_OPTIONS);
    assert_int_equal(f->pool->connection_count, 3);
    assert_true(list_is_empty(&f->pool->pipelines));
    for (int i = 0; i < 3; i++)
        close_copy(&copies[i]);
    assert_all_closed(f);
}

static void a_malformed_answer_fails_all_that_wait_behind_it(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 3);
    say(f, ANSWER("a") "HTTP/1.1 2x0 OK\r\n\r\n" ANSWER("c"));
    assert_answered(0, "200 a.");
    assert_failed(1, BACKEND_FAULT_MALFORMED);
    assert_failed(2, BACKEND_FAULT_MALFORMED);
    assert_all_closed(f);
}

static void a_head_that_is_too_large_fails_all_that_wait(void **state)
{
    static char field[BACKEND_HEADER_BYTES + 64];
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    say(f, "HTTP/1.1 200 OK\r\nx: ");
    memset(field, 'x', sizeof(field));
    for (size_t sent = 0; sent < sizeof(field) && !copies[0].failed; sent += 4096)
        http1_answer(f, field, 4096);
    assert_failed(0, BACKEND_FAULT_HEADER_LIMIT);
    assert_failed(1, BACKEND_FAULT_HEADER_LIMIT);
    assert_all_closed(f);
}

static void an_answer_that_nobody_asked_for_closes_the_connection(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 1);
    say(f, ANSWER("a") ANSWER("b"));
    assert_answered(0, "200 a.");
    assert_all_closed(f);
    ask_some(f, 1);
    say(f, ANSWER("c"));
    assert_answered(0, "200 c.");
    say(f, ANSWER("d"));
    assert_all_closed(f);
}

static void an_answer_that_came_before_the_request_is_not_its_own(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 1);
    say(f, ANSWER("a"));
    /* The loop has not told yet. */
    assert_int_equal(send(f->backend, ANSWER("b"), strlen(ANSWER("b")), MSG_NOSIGNAL),
                     strlen(ANSWER("b")));
    ask_some(f, 1);
    assert_int_equal(f->accepted, 2);
    say(f, ANSWER("c"));
    assert_answered(0, "200 c.");
}

static void an_answer_that_came_while_its_request_waited_for_room_is_not_its_own(void **state)
{
    static char path[1 << 20];
    struct http1_fixture *f = *state;
    memset(path, '/', sizeof(path));
    f->request.path = strview_make(path, sizeof(path));
    ask(f, 0, METHOD_GET);
    ask(f, 1, METHOD_GET);
    http1_turn(f); /* the endpoint reads nothing: it has not had the first as a whole */
    say(f, ANSWER("a") ANSWER("b"));
    assert_answered(0, "200 a.");
    assert_true(copies[1].failed);
    assert_false(copies[1].sent);
    assert_all_closed(f);
}

/* And those that follow have connections of their own. */
static void assert_no_more_pipelines(struct http1_fixture *f)
{
    assert_all_closed(f);
    ask(f, 0, METHOD_GET);
    ask(f, 1, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    close_copy(&copies[0]);
    close_copy(&copies[1]);
    assert_all_closed(f);
}

static void behind_an_answer_that_says_close_all_fail_and_nothing_is_pipelined_again(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 3);
    say(f, ANSWER("a") "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nb" ANSWER(
               "c"));
    assert_answered(0, "200 a.");
    assert_answered(1, "200 b.");
    assert_failed(2, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void a_connection_gets_no_more_copies_than_one_that_was_ended_after_many(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 32; round++) {
        ask_some(f, 2);
        say(f, round < 31 ? ANSWER("a") ANSWER("b")
                          : ANSWER("a") "HTTP/1.1 200 OK\r\nconnection: close\r\n"
                                        "content-length: 1\r\n\r\nb");
        assert_answered(1, "200 b.");
    }
    assert_all_closed(f);
    assert_int_equal(f->pool->pipeline_length, 64);
}

static void a_connection_ends_with_the_last_copy_that_it_may_have(void **state)
{
    struct http1_fixture *f = *state;
    f->pool->pipeline_length = DEPTH;
    ask_some(f, 2);
    say(f, ANSWER("a") ANSWER("b"));
    ask_some(f, 1);
    say(f, ANSWER("c"));
    assert_answered(0, "200 c.");
    assert_int_equal(f->pool->connection_count, 0);
    for (int i = 0; i < COPIES; i++)
        ask(f, i, METHOD_GET);
    assert_int_equal(f->pool->connection_count, 2);
    for (int i = 0; i < COPIES; i += 3) /* the others are behind the first */
        close_copy(&copies[i]);
    assert_all_closed(f);
}

static void an_answer_of_http10_ends_pipelines_even_when_it_says_keep_alive(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    say(f, "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na" ANSWER("b"));
    assert_answered(0, "200 a.");
    assert_failed(1, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void an_answer_that_ends_with_the_connection_ends_pipelines(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    say(f, "HTTP/1.1 200 OK\r\n\r\nabc");
    http1_close_backend(f);
    http1_turn(f);
    assert_answered(0, "200 abc.");
    assert_failed(1, BACKEND_FAULT_RESET);
    assert_no_more_pipelines(f);
}

static void all_that_wait_fail_when_the_connection_is_closed(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 3);
    say(f, ANSWER("a") "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nb");
    http1_close_backend(f);
    http1_turn(f);
    assert_answered(0, "200 a.");
    assert_failed(1, BACKEND_FAULT_RESET);
    assert_failed(2, BACKEND_FAULT_RESET);
    assert_all_closed(f);
    ask_some(f, 2); /* that happens: they go together again */
    say(f, ANSWER("a") ANSWER("b"));
    assert_answered(1, "200 b.");
}

static void one_that_is_given_up_takes_all_others_with_it(void **state)
{
    struct http1_fixture *f = *state;
    for (int which = 0; which < 3; which++) {
        ask_some(f, 3);
        say(f, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
        close_copy(&copies[which]);
        for (int i = 0; i < 3; i++) {
            if (i != which)
                assert_failed(i, BACKEND_FAULT_RESET);
        }
        assert_all_closed(f);
    }
    assert_int_equal(f->accepted, 3);
}

static void the_rest_of_an_answer_that_nobody_wants_is_read_for_those_behind_it(void **state)
{
    static const char zeros[50000];
    struct http1_fixture *f = *state;
    ask_some(f, 3);
    say(f, "HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\na");
    close_copy(&copies[0]);
    http1_answer(f, zeros, sizeof(zeros));
    ask(f, 3, METHOD_GET); /* not behind this one */
    assert_int_equal(f->pool->connection_count, 2);
    close_copy(&copies[3]);
    http1_answer(f, zeros, sizeof(zeros));
    say(f, ANSWER("b") ANSWER("c"));
    assert_string_equal(copies[0].text, "200 a");
    assert_answered(1, "200 b.");
    assert_answered(2, "200 c.");
    ask_some(f, 2);
    copies[0].closes_at_head = true;
    say(f, ANSWER("a") ANSWER("b"));
    assert_string_equal(copies[0].text, "200 ");
    assert_answered(1, "200 b.");
    assert_int_equal(f->pool->connection_count, 1);
    assert_int_equal(f->accepted, 1);
}

static void too_long_a_rest_is_read_for_nobody(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    copies[0].closes_at_head = true;
    say(f, "HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n");
    assert_failed(1, BACKEND_FAULT_RESET);
    assert_all_closed(f);
}

static void who_waits_behind_a_long_answer_takes_all_others_along_when_it_is_given_up(void **state)
{
    struct http1_fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        ask_some(f, 3);
        copies[0].closes_at_head = round == 1;
        say(f, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        assert_false(copies[0].failed || copies[1].failed);
        close_copy(&copies[1]);
        assert_int_equal(copies[0].failed, round == 0);
        assert_failed(2, BACKEND_FAULT_RESET);
        assert_all_closed(f);
    }
}

static void what_has_not_left_has_not_been_sent_when_it_fails(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 1);
    say(f, ANSWER("a"));
    for (int i = 0; i < 3; i++)
        ask(f, i, METHOD_GET);
    close_copy(&copies[1]);
    assert_false(copies[1].sent);
    assert_true(copies[0].failed && copies[2].failed);
    assert_false(copies[0].sent || copies[2].sent);
    assert_all_closed(f);
}

static void all_fail_unsent_when_there_is_no_connection(void **state)
{
    struct http1_fixture *f = *state;
    close(f->listener);
    f->listener = -1;
    for (int i = 0; i < 3; i++)
        ask(f, i, METHOD_GET);
    http1_turn(f);
    for (int i = 0; i < 3; i++) {
        assert_true(copies[i].failed);
        assert_int_equal(copies[i].fault, BACKEND_FAULT_CONNECT);
        assert_false(copies[i].sent);
    }
    assert_all_closed(f);
}

static void an_endpoint_that_is_named_no_more_loses_its_connections_as_they_end(void **state)
{
    struct http1_fixture *f = *state;
    ask_some(f, 2);
    backend_pools_retire(&f->pools, NULL, 0);
    say(f, ANSWER("a"));
    assert_int_equal(f->pool->connection_count, 1);
    say(f, ANSWER("b"));
    assert_answered(1, "200 b.");
    assert_all_closed(f);
}

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
