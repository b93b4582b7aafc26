#include "tests/unit/backend/http1_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/socket.h"

const char http1_good_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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
    struct http1_fixture *f = owner;
    say(&f->outcome, "[%d", head->status);
    say_fields(&f->outcome, &head->headers);
    say(&f->outcome, "]");
}

static void on_body(void *owner, struct buffer *buffer, const char *data, size_t length)
{
    struct http1_fixture *f = owner;
    (void)buffer;
    f->outcome.delivered += length;
    if (f->outcome.delivered < TEXT_BYTES / 2)
        say(&f->outcome, "%.*s", (int)length, data);
    if (f->consumes)
        backend_stream_consumed(f->stream, length);
}

static void on_end(void *owner, const struct headers *trailers)
{
    struct http1_fixture *f = owner;
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
    struct http1_fixture *f = owner;
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

int http1_set_up(void **state)
{
    static struct http1_fixture fixture;
    struct http1_fixture *f = &fixture;
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

int http1_tear_down(void **state)
{
    struct http1_fixture *f = *state;
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

void http1_turn(struct http1_fixture *f)
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

struct backend_stream *http1_try_open(struct http1_fixture *f)
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

void http1_open(struct http1_fixture *f)
{
    assert_non_null(http1_try_open(f));
    assert_false(f->outcome.over);
}

void http1_close(struct http1_fixture *f)
{
    backend_stream_close(f->stream);
    f->stream = NULL;
    assert_int_equal(f->pool->in_flight, 0);
}

void http1_answer(struct http1_fixture *f, const char *text, size_t length)
{
    assert_int_equal(send(f->backend, text, length, MSG_NOSIGNAL), length);
    http1_turn(f);
}

void http1_close_backend(struct http1_fixture *f)
{
    char request[1024];
    while (recv(f->backend, request, sizeof(request), MSG_DONTWAIT) > 0)
        continue;
    close(f->backend);
    f->backend = -1;
}

void http1_exchange(struct http1_fixture *f, const char *text)
{
    http1_open(f);
    http1_turn(f);
    http1_answer(f, text, strlen(text));
    assert_true(f->outcome.over);
    http1_close(f);
}

void http1_assert_failed(const struct http1_fixture *f, enum backend_fault fault, bool unprocessed,
                         bool reused)
{
    assert_true(f->outcome.failed);
    assert_int_equal(f->outcome.fault, fault);
    assert_int_equal(f->outcome.unprocessed, unprocessed);
    assert_int_equal(f->outcome.reused, reused);
}
