#include "tests/unit/backend/pipeline_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct copy copies[COPIES];

static void add_text(struct copy *copy, const char *data, size_t length)
{
    size_t used = strlen(copy->text);
    assert_true(used + length < ANSWER_BYTES);
    memcpy(copy->text + used, data, length);
    copy->text[used + length] = '\0';
}

void copy_close(struct copy *copy)
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
        copy_close(copy);
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
    copy_close(owner);
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
    copy_close(copy);
}

static const struct backend_stream_events events = {
    .on_interim_head = on_head,
    .on_response_head = on_head,
    .on_response_body = on_body,
    .on_response_end = on_end,
    .on_request_consumed = on_request_consumed,
    .on_failed = on_failed,
};

void copy_ask(struct http1_fixture *f, int number, enum http_method method)
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

void copies_ask(struct http1_fixture *f, int count)
{
    char bytes[1024];
    for (int i = 0; i < count; i++)
        copy_ask(f, i, METHOD_GET);
    http1_turn(f);
    ssize_t length = recv(f->backend, bytes, sizeof(bytes), MSG_DONTWAIT);
    assert_true(length > 0);
    int heads = 0;
    for (ssize_t i = 0; i + 4 <= length; i++)
        heads += memcmp(bytes + i, "\r\n\r\n", 4) == 0;
    assert_int_equal(heads, count);
}

void copies_answer(struct http1_fixture *f, const char *text)
{
    http1_answer(f, text, strlen(text));
}

void copies_assert_answered(int number, const char *text)
{
    assert_false(copies[number].failed);
    assert_string_equal(copies[number].text, text);
}

void copies_assert_failed(int number, enum backend_fault fault)
{
    assert_true(copies[number].failed);
    assert_true(copies[number].sent);
    assert_int_equal(copies[number].fault, fault);
    assert_null(strchr(copies[number].text, '.'));
}

void copies_assert_all_closed(struct http1_fixture *f)
{
    assert_int_equal(f->pool->in_flight, 0);
    assert_int_equal(f->pool->connection_count, 0);
}
