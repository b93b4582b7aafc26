/* A pool's HTTP/1.1 connections towards an endpoint that the test plays, over a Unix socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/backend/backend_pool.h"
#include "proxy/net/socket.h"

enum { TEXT_BYTES = 4096, TURNS = 4, BUDGET_BYTES = 1 << 20 };

/* What became of a request: heads, content and end as text. */
struct outcome {
    char text[TEXT_BYTES];
    size_t used;
    uint64_t delivered;
    bool over;
    bool failed;
    enum backend_fault fault;
    bool unprocessed;
    bool reused;
};

struct fixture {
    struct io io;
    struct backend_pools pools;
    struct backend_pool *pool;
    struct endpoint_state endpoint;
    struct arena arena;
    struct headers no_headers;
    struct backend_request request;
    struct backend_stream *stream;
    struct outcome outcome;
    int listener;
    int backend; /* the endpoint's end of the last connection; -1: none */
    uint32_t accepted;
    bool consumes;
    struct breaker_limits limits;
};

/* --- what the stream's owner sees ---------------------------------------------------------- */

static void say(struct outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct outcome *outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(outcome->text + outcome->used, TEXT_BYTES - outcome->used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && outcome->used + (size_t)length < TEXT_BYTES);
    outcome->used += (size_t)length;
}

static void say_fields(struct outcome *outcome, const struct headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++)
        say(outcome, " %.*s=%.*s", STRVIEW_ARGS(headers->fields[i].name),
            STRVIEW_ARGS(headers->fields[i].value));
}

static void on_head(void *owner, const struct response_head *head)
{
    struct fixture *f = owner;
    say(&f->outcome, "[%d", head->status);
    say_fields(&f->outcome, &head->headers);
    say(&f->outcome, "]");
}

static void on_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct fixture *f = owner;
    (void)buffer;
    f->outcome.delivered += length;
    if (f->outcome.delivered < TEXT_BYTES / 2)
        say(&f->outcome, "%.*s", (int)length, data);
    if (f->consumes)
        backend_stream_consumed(f->stream, length);
}

static void on_end(void *owner, const struct headers *trailers)
{
    struct fixture *f = owner;
    say(&f->outcome, "[end");
    say_fields(&f->outcome, trailers);
    say(&f->outcome, "]");
    f->outcome.over = true;
}

static void on_request_consumed(void *owner, size_t length)
{
    (void)owner, (void)length;
}

static void on_failed(void *owner, enum backend_fault fault, bool unprocessed, bool reused)
{
    struct fixture *f = owner;
    f->outcome.over = f->outcome.failed = true;
    f->outcome.fault = fault;
    f->outcome.unprocessed = unprocessed;
    f->outcome.reused = reused;
}

static const struct backend_stream_events events = {
    .on_interim_head = on_head,
    .on_response_head = on_head,
    .on_response_body = on_body,
    .on_response_end = on_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

/* --- the fixture --------------------------------------------------------------------------- */

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    io_init(&f->io);
    backend_pools_init(&f->pools, &f->io, BUDGET_BYTES);
    arena_init(&f->arena, NULL);
    f->request = (struct backend_request){
        .method = METHOD_GET,
        .method_text = STRVIEW("GET"),
        .authority = STRVIEW("a"),
        .path = STRVIEW("/"),
        .headers = &f->no_headers,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    f->backend = -1;
    f->consumes = true;
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    f->endpoint.address.socket.any.sa_family = AF_UNIX; /* the system chooses the name */
    assert_int_equal(bind(f->listener, &f->endpoint.address.socket.any, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_true(socket_local_address(f->listener, &f->endpoint.address));
    f->pool = backend_pools_get(&f->pools, &f->endpoint);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->stream != NULL) /* the test has failed */
        backend_stream_close(f->stream);
    assert_int_equal(f->pools.budget.granted, 0);
    backend_pools_done(&f->pools);
    loop_run_tasks(&f->io.loop);
    assert_int_equal(f->io.buffers.live, 1 + f->io.spare_count); /* to read into */
    io_done(&f->io);
    arena_done(&f->arena);
    if (f->listener >= 0)
        close(f->listener);
    if (f->backend >= 0)
        close(f->backend);
    return 0;
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < TURNS; i++) {
        struct address address;
        ev_run(f->io.loop.ev, EVRUN_NOWAIT);
        int fd = f->listener >= 0 ? socket_accept(f->listener, &address) : -1;
        if (fd < 0)
            continue;
        if (f->backend >= 0)
            close(f->backend);
        f->backend = fd;
        f->accepted++;
    }
}

static struct backend_stream *try_to_open(struct fixture *f)
{
    static const struct timeouts timeouts = {0};
    struct backend_stream_options options = {
        .request = &f->request,
        .timeouts = &timeouts,
        .limits = &f->limits,
        .events = &events,
        .owner = f,
        .arena = &f->arena,
    };
    memset(&f->outcome, 0, sizeof(f->outcome));
    return f->stream = backend_pool_open_stream(f->pool, &options);
}

static void open_stream(struct fixture *f)
{
    assert_non_null(try_to_open(f));
    assert_false(f->outcome.over);
}

static void close_stream(struct fixture *f)
{
    backend_stream_close(f->stream);
    f->stream = NULL;
    assert_int_equal(f->pool->in_flight, 0);
}

static void answer(struct fixture *f, const char *text, size_t length)
{
    assert_int_equal(send(f->backend, text, length, MSG_NOSIGNAL), length);
    turn(f);
}

/* An orderly end: with bytes unread it would be a reset. */
static void close_backend(struct fixture *f)
{
    char request[1024];
    while (recv(f->backend, request, sizeof(request), MSG_DONTWAIT) > 0)
        continue;
    close(f->backend);
    f->backend = -1;
}

/* One whole request with its answer. */
static void exchange(struct fixture *f, const char *text)
{
    open_stream(f);
    turn(f);
    answer(f, text, strlen(text));
    assert_true(f->outcome.over);
    close_stream(f);
}

static void assert_failed(const struct fixture *f, enum backend_fault fault, bool unprocessed,
                          bool reused)
{
    assert_true(f->outcome.failed);
    assert_int_equal(f->outcome.fault, fault);
    assert_int_equal(f->outcome.unprocessed, unprocessed);
    assert_int_equal(f->outcome.reused, reused);
}

/* --- tests --------------------------------------------------------------------------------- */

static const char good_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void an_answer_is_the_same_wherever_reads_cut_it(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nX-One:  1 2 \r\nX-Empty:\r\nX-Blank: \t\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 7\r\nX-Last:\r\n\r\n";
    for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
        open_stream(f);
        turn(f);
        answer(f, text, cut);
        answer(f, text + cut, sizeof(text) - 1 - cut);
        assert_string_equal(f->outcome.text,
                            "[103 link=</a>]"
                            "[200 x-one=1 2 x-empty= x-blank= transfer-encoding=chunked]"
                            "hello world[end x-sum=7 x-last=]");
        close_stream(f);
    }
    assert_int_equal(f->accepted, 1); /* all on one connection */
}

static void a_connection_is_used_again_only_when_nothing_speaks_against_it(void **state)
{
    struct fixture *f = *state;
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
        exchange(f, rows[i].answer);
        assert_false(f->outcome.failed);
        uint32_t before = f->accepted;
        exchange(f, good_answer);
        assert_int_equal(f->accepted, rows[i].again ? before : before + 1);
    }
}

static void what_nobody_asked_for_closes_an_idle_connection(void **state)
{
    struct fixture *f = *state;
    exchange(f, good_answer);
    assert_int_equal(f->pool->connection_count, 1);
    answer(f, good_answer, sizeof(good_answer) - 1);
    assert_int_equal(f->pool->connection_count, 0);
}

static void open_on_wake(struct loop *loop)
{
    open_stream(LIST_ENTRY(loop, struct fixture, io.loop));
}

static void what_was_said_before_the_request_is_not_its_answer(void **state)
{
    struct fixture *f = *state;
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    exchange(f, good_answer);
    /* The loop learns of both at once. Whichever it looks at first, they do not belong together. */
    f->io.loop.on_wake = open_on_wake;
    loop_wake(&f->io.loop);
    assert_int_equal(send(f->backend, late, sizeof(late) - 1, MSG_NOSIGNAL), sizeof(late) - 1);
    turn(f);
    assert_non_null(f->stream);
    assert_string_equal(f->outcome.text, "");
    assert_true(!f->outcome.failed || f->outcome.unprocessed);
    close_stream(f);
}

static void a_kept_connection_that_closes_under_a_request_is_told_apart(void **state)
{
    struct fixture *f = *state;
    exchange(f, good_answer);
    close_backend(f);
    open_stream(f);
    turn(f);
    assert_true(f->outcome.failed && f->outcome.reused);
    assert_int_equal(f->outcome.fault, BACKEND_FAULT_RESET);
    close_stream(f);
    open_stream(f); /* a fresh one, closed in the same way */
    turn(f);
    close_backend(f);
    turn(f);
    assert_failed(f, BACKEND_FAULT_RESET, false, false);
    close_stream(f);
}

static void an_endpoint_that_is_not_there_surely_did_nothing(void **state)
{
    struct fixture *f = *state;
    close(f->listener);
    f->listener = -1;
    open_stream(f);
    turn(f);
    assert_failed(f, BACKEND_FAULT_CONNECT, true, false);
    close_stream(f);
    assert_true(atomic_load(&f->endpoint.down_until_ms) > f->io.loop.now_ms);
    assert_true(atomic_load(&f->endpoint.unreachable));
}

static void beyond_the_limit_of_connections_there_is_no_room(void **state)
{
    struct fixture *f = *state;
    static struct breaker breaker;
    static struct endpoint_state other;
    static struct endpoint_state third;
    other.address = third.address = f->endpoint.address;
    other.id = 1;
    third.id = 2;
    other.breaker = third.breaker = &breaker;
    f->limits = (struct breaker_limits){.most = {100, 1, 100}};
    f->pool = backend_pools_get(&f->pools, &other);
    open_stream(f);
    struct backend_stream *first = f->stream;
    f->pool = backend_pools_get(&f->pools, &third);
    assert_null(try_to_open(f));
    f->stream = first;
    turn(f);
    static const char empty[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    answer(f, empty, sizeof(empty) - 1);
    close_stream(f);
    open_stream(f); /* the idle connection to another endpoint makes room */
    close_stream(f);
    assert_int_equal(backend_pools_get(&f->pools, &other)->connection_count, 0);
    assert_int_equal(atomic_load(&breaker.lent[BREAKER_IN_FLIGHT]), 0);
    assert_int_equal(atomic_load(&breaker.reached[BREAKER_CONNECTIONS]), 1);
}

static void answers_that_break_the_protocol_are_malformed(void **state)
{
    struct fixture *f = *state;
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
        exchange(f, bad[i]);
        assert_failed(f, BACKEND_FAULT_MALFORMED, false, false);
        assert_int_equal(f->pool->connection_count, 0);
    }
}

static void an_answer_without_length_ends_with_its_connection(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it";
    open_stream(f);
    turn(f);
    answer(f, text, sizeof(text) - 1);
    assert_false(f->outcome.over);
    close_backend(f);
    turn(f);
    assert_string_equal(f->outcome.text, "[200 x=y]all of it[end]");
    close_stream(f);
}

static void an_answer_that_is_cut_is_never_taken_for_whole(void **state)
{
    struct fixture *f = *state;
    static const char *const cut[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        open_stream(f);
        turn(f);
        answer(f, cut[i], strlen(cut[i]));
        assert_false(f->outcome.over);
        close_backend(f);
        turn(f);
        assert_failed(f, BACKEND_FAULT_RESET, false, false);
        close_stream(f);
    }
}

static void a_client_that_does_not_read_stops_the_backend(void **state)
{
    struct fixture *f = *state;
    static char content[1 << 20];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n";
    size_t sent = 0;
    f->consumes = false;
    open_stream(f);
    turn(f);
    answer(f, head, sizeof(head) - 1);
    for (int i = 0; i < 50; i++) {
        ssize_t part = send(f->backend, content, sizeof(content) - sent, MSG_DONTWAIT);
        sent += part > 0 ? (size_t)part : 0;
        turn(f);
    }
    assert_true(sent < sizeof(content));
    assert_in_range(f->outcome.delivered, RECEIVE_WINDOW_FIRST_BYTES,
                    RECEIVE_WINDOW_FIRST_BYTES + BUFFER_BYTES);
    f->consumes = true;
    backend_stream_consumed(f->stream, f->outcome.delivered);
    for (int i = 0; i < 1000 && sent < sizeof(content); i++) {
        ssize_t part = send(f->backend, content, sizeof(content) - sent, MSG_DONTWAIT);
        sent += part > 0 ? (size_t)part : 0;
        turn(f);
    }
    turn(f);
    assert_int_equal(f->outcome.delivered, sizeof(content));
    assert_true(f->outcome.over && !f->outcome.failed);
    close_stream(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_the_same_wherever_reads_cut_it),
        TEST(a_connection_is_used_again_only_when_nothing_speaks_against_it),
        TEST(what_nobody_asked_for_closes_an_idle_connection),
        TEST(what_was_said_before_the_request_is_not_its_answer),
        TEST(a_kept_connection_that_closes_under_a_request_is_told_apart),
        TEST(an_endpoint_that_is_not_there_surely_did_nothing),
        TEST(beyond_the_limit_of_connections_there_is_no_room),
        TEST(answers_that_break_the_protocol_are_malformed),
        TEST(an_answer_without_length_ends_with_its_connection),
        TEST(an_answer_that_is_cut_is_never_taken_for_whole),
        TEST(a_client_that_does_not_read_stops_the_backend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
