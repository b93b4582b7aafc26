/*
 * Heads that are read line by line, beside llhttp: what is taken for plain is valid for llhttp, and
 * says the same. Nearly valid heads come from valid ones, with one byte changed, taken or added.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/backend/http1_plain_head.h"
#include "tests/support/plain_head_check.h"

static const char *const plain_heads[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 404 \r\nX-A:b\r\nconnection: Keep-Alive\r\nContent-Length:0\r\nX-B:\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nSet-Cookie: a=b; c\r\nset-cookie:\t \xc3\xa4\t x  \r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nKeep-Alive: timeout=5\r\n\r\n",
    "HTTP/1.1 599 \xff\r\nTrailer: x\r\ncontent-length: 123456789012345678\r\n\r\n",
};
enum { PLAIN_HEADS = sizeof(plain_heads) / sizeof(plain_heads[0]) };

static size_t check(struct strview bytes)
{
    return plain_head_check(METHOD_GET, bytes);
}

static void plain_heads_are_read_without_what_follows_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_HEADS; i++) {
        char bytes[256];
        int length = snprintf(bytes, sizeof(bytes), "%s\r\n: body", plain_heads[i]);
        assert_int_equal(check(strview_make(bytes, (size_t)length)), strlen(plain_heads[i]));
    }
}

static void a_head_that_is_not_all_there_is_not_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_HEADS; i++) {
        for (size_t length = 0; length < strlen(plain_heads[i]); length++)
            assert_int_equal(check(strview_make(plain_heads[i], length)), 0);
    }
}

static void a_changed_head_is_refused_or_says_what_it_says_to_the_parser(void **state)
{
    (void)state;
    size_t taken = 0;
    for (size_t i = 0; i < PLAIN_HEADS; i++) {
        size_t length = strlen(plain_heads[i]);
        char bytes[256];
        for (size_t at = 0; at < length; at++) {
            for (int c = 0; c < 256; c++) {
                memcpy(bytes, plain_heads[i], length);
                bytes[at] = (char)c; /* one changed */
                taken += check(strview_make(bytes, length)) > 0;
                memcpy(bytes + at + 1, plain_heads[i] + at, length - at); /* one added */
                taken += check(strview_make(bytes, length + 1)) > 0;
            }
            memcpy(bytes + at, plain_heads[i] + at + 1, length - at - 1); /* one taken */
            taken += check(strview_make(bytes, length - 1)) > 0;
        }
    }
    assert_true(taken > 1000);
}

static void what_frames_otherwise_or_ends_the_connection_is_not_plain(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 600 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5 \t \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456789\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: x\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 5\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        assert_int_equal(check(strview_of(heads[i])), 0);
}

static void a_long_head_is_not_plain(void **state)
{
    (void)state;
    static char bytes[HTTP1_PLAIN_HEAD_BYTES + 64];
    static const char begin[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: ";
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, begin, sizeof(begin) - 1);
    memcpy(bytes + HTTP1_PLAIN_HEAD_BYTES / 2, "\r\nY: ", 5);
    struct response_builder builder;
    struct arena arena;
    arena_init(&arena, NULL);
    response_builder_init(&builder);
    memcpy(bytes + HTTP1_PLAIN_HEAD_BYTES - 4, "\r\n\r\n", 4);
    assert_int_equal(
        http1_plain_head(&builder, &arena, METHOD_GET, strview_make(bytes, sizeof(bytes))),
        HTTP1_PLAIN_HEAD_BYTES);
    memcpy(bytes + HTTP1_PLAIN_HEAD_BYTES - 4, "x\r\n\r\n", 5);
    response_builder_init(&builder);
    assert_int_equal(
        http1_plain_head(&builder, &arena, METHOD_GET, strview_make(bytes, sizeof(bytes))), 0);
    arena_done(&arena);
}

static void an_answer_to_head_needs_no_length(void **state)
{
    (void)state;
    const struct strview head = STRVIEW("HTTP/1.1 200 OK\r\nX: y\r\n\r\n");
    struct response_builder builder;
    struct arena arena;
    arena_init(&arena, NULL);
    response_builder_init(&builder);
    assert_int_equal(http1_plain_head(&builder, &arena, METHOD_GET, head), 0);
    assert_int_equal(http1_plain_head(&builder, &arena, METHOD_HEAD, head), head.length);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_heads_are_read_without_what_follows_them),
        cmocka_unit_test(a_head_that_is_not_all_there_is_not_plain),
        cmocka_unit_test(a_changed_head_is_refused_or_says_what_it_says_to_the_parser),
        cmocka_unit_test(what_frames_otherwise_or_ends_the_connection_is_not_plain),
        cmocka_unit_test(a_long_head_is_not_plain),
        cmocka_unit_test(an_answer_to_head_needs_no_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
