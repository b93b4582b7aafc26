/* Answers, and what becomes of connections. */
#include "tests/unit/backend/http1_fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void an_answer_is_the_same_wherever_reads_cut_it(void **state)
{
    struct http1_fixture *f = *state;
    static const char text[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nX-One:  1 2 \r\nX-Empty:\r\nX-Blank: \t\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 7\r\nX-Last:\r\n\r\n";
    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        http1_open(f);
        http1_turn(f);
        http1_answer(f, text, cut);
        http1_answer(f, text + cut, sizeof(text) - 1 - cut);
        assert_string_equal(f->outcome.text,
                            "[103 link=</a>]"
                            "[200 x-one=1 2 x-empty= x-blank= transfer-encoding=chunked]"
                            "hello world[end x-sum=7 x-last=]");
        http1_close(f);
    }
    assert_int_equal(f->accepted, 1); /* all on one connection */
}

static void a_connection_is_used_again_only_when_nothing_speaks_against_it(void **state)
{
    struct http1_fixture *f = *state;
    static const struct {
        const char *answer;
        bool again;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", false}, /* a byte too many */
        {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http1_exchange(f, rows[i].answer);
        assert_false(f->outcome.failed);
        uint32_t before = f->accepted;
        http1_exchange(f, http1_good_answer);
        assert_int_equal(f->accepted, rows[i].again ? before : before + 1);
    }
}

static void what_nobody_asked_for_closes_an_idle_connection(void **state)
{
    struct http1_fixture *f = *state;
    http1_exchange(f, http1_good_answer);
    assert_int_equal(f->pool->connection_count, 1);
    http1_answer(f, http1_good_answer, strlen(http1_good_answer));
    assert_int_equal(f->pool->connection_count, 0);
}

static void open_on_wake(struct loop *loop)
{
    http1_open(LIST_ENTRY(loop, struct http1_fixture, io.loop));
}

static void what_was_said_before_the_request_is_not_its_answer(void **state)
{
    struct http1_fixture *f = *state;
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    http1_exchange(f, http1_good_answer);
    /* The loop learns of both at once. Whichever it looks at first, they do not belong together. */
    f->io.loop.on_wake = open_on_wake;
    loop_wake(&f->io.loop);
    assert_int_equal(send(f->backend, late, sizeof(late) - 1, MSG_NOSIGNAL), sizeof(late) - 1);
    http1_turn(f);
    assert_non_null(f->stream);
    assert_string_equal(f->outcome.text, "");
    assert_true(!f->outcome.failed || f->outcome.unprocessed);
    http1_close(f);
}

static void a_kept_connection_that_closes_under_a_request_is_told_apart(void **state)
{
    struct http1_fixture *f = *state;
    http1_exchange(f, http1_good_answer);
    http1_close_backend(f);
    http1_open(f);
    http1_turn(f);
    assert_true(f->outcome.failed && f->outcome.reused);
    assert_int_equal(f->outcome.fault, BACKEND_FAULT_RESET);
    http1_close(f);
    http1_open(f); /* a fresh one, closed in the same way */
    http1_turn(f);
    http1_close_backend(f);
    http1_turn(f);
    http1_assert_failed(f, BACKEND_FAULT_RESET, false, false);
    http1_close(f);
}

static void an_endpoint_that_is_not_there_surely_did_nothing(void **state)
{
    struct http1_fixture *f = *state;
    close(f->listener);
    f->listener = -1;
    http1_open(f);
    http1_turn(f);
    http1_assert_failed(f, BACKEND_FAULT_CONNECT, true, false);
    http1_close(f);
    assert_true(atomic_load(&f->endpoint.down_until_ms) > f->io.loop.now_ms);
    assert_true(atomic_load(&f->endpoint.unreachable));
}

static void beyond_the_limit_of_connections_there_is_no_room(void **state)
{
    struct http1_fixture *f = *state;
    static struct breaker breaker;
    static struct endpoint_state other;
    static struct endpoint_state third;
    other.address = third.address = f->endpoint.address;
    other.id = 1;
    third.id = 2;
    other.breaker = third.breaker = &breaker;
    f->limits = (struct breaker_limits){.most = {100, 1, 100}};
    f->pool = backend_pools_get(&f->pools, &other);
    http1_open(f);
    struct backend_stream *first = f->stream;
    f->pool = backend_pools_get(&f->pools, &third);
    assert_null(http1_try_open(f));
    f->stream = first;
    http1_turn(f);
    static const char empty[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    http1_answer(f, empty, sizeof(empty) - 1);
    http1_close(f);
    http1_open(f); /* the idle connection to another endpoint makes room */
    http1_close(f);
    assert_int_equal(backend_pools_get(&f->pools, &other)->connection_count, 0);
    assert_int_equal(atomic_load(&breaker.lent[BREAKER_IN_FLIGHT]), 0);
    assert_int_equal(atomic_load(&breaker.reached[BREAKER_CONNECTIONS]), 1);
}

static void answers_that_break_the_protocol_are_malformed(void **state)
{
    struct http1_fixture *f = *state;
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 600 High\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        http1_exchange(f, bad[i]);
        http1_assert_failed(f, BACKEND_FAULT_MALFORMED, false, false);
        assert_int_equal(f->pool->connection_count, 0);
    }
}

static void an_answer_without_length_ends_with_its_connection(void **state)
{
    struct http1_fixture *f = *state;
    static const char text[] = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it";
    http1_open(f);
    http1_turn(f);
    http1_answer(f, text, sizeof(text) - 1);
    assert_false(f->outcome.over);
    http1_close_backend(f);
    http1_turn(f);
    assert_string_equal(f->outcome.text, "[200 x=y]all of it[end]");
    http1_close(f);
}

static void an_answer_that_is_cut_is_never_taken_for_whole(void **state)
{
    struct http1_fixture *f = *state;
    static const char *const cut[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        http1_open(f);
        http1_turn(f);
        http1_answer(f, cut[i], strlen(cut[i]));
        assert_false(f->outcome.over);
        http1_close_backend(f);
        http1_turn(f);
        http1_assert_failed(f, BACKEND_FAULT_RESET, false, false);
        http1_close(f);
    }
}

static void a_client_that_does_not_read_stops_the_backend(void **state)
{
    struct http1_fixture *f = *state;
    static char content[1 << 20];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n";
    size_t sent = 0;
    f->consumes = false;
    http1_open(f);
    http1_turn(f);
    http1_answer(f, head, sizeof(head) - 1);
    for (int i = 0; i < 50; i++) {
        ssize_t part = send(f->backend, content, sizeof(content) - sent, MSG_DONTWAIT);
        sent += part > 0 ? (size_t)part : 0;
        http1_turn(f);
    }
    assert_true(sent < sizeof(content));
    assert_in_range(f->outcome.delivered, RECEIVE_WINDOW_FIRST_BYTES,
                    RECEIVE_WINDOW_FIRST_BYTES + BUFFER_BYTES);
    f->consumes = true;
    backend_stream_consumed(f->stream, f->outcome.delivered);
    for (int i = 0; i < 1000 && sent < sizeof(content); i++) {
        ssize_t part = send(f->backend, content, sizeof(content) - sent, MSG_DONTWAIT);
        sent += part > 0 ? (size_t)part : 0;
        http1_turn(f);
    }
    http1_turn(f);
    assert_int_equal(f->outcome.delivered, sizeof(content));
    assert_true(f->outcome.over && !f->outcome.failed);
    http1_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP1_TEST(an_answer_is_the_same_wherever_reads_cut_it),
        HTTP1_TEST(a_connection_is_used_again_only_when_nothing_speaks_against_it),
        HTTP1_TEST(what_nobody_asked_for_closes_an_idle_connection),
        HTTP1_TEST(what_was_said_before_the_request_is_not_its_answer),
        HTTP1_TEST(a_kept_connection_that_closes_under_a_request_is_told_apart),
        HTTP1_TEST(an_endpoint_that_is_not_there_surely_did_nothing),
        HTTP1_TEST(beyond_the_limit_of_connections_there_is_no_room),
        HTTP1_TEST(answers_that_break_the_protocol_are_malformed),
        HTTP1_TEST(an_answer_without_length_ends_with_its_connection),
        HTTP1_TEST(an_answer_that_is_cut_is_never_taken_for_whole),
        HTTP1_TEST(a_client_that_does_not_read_stops_the_backend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
