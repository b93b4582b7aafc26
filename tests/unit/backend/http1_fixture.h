/*
 * A pool's HTTP/1.1 connections towards an endpoint that the test plays, over a Unix socket. What
 * becomes of the one request under way is written down as text. Single-threaded.
 */
#ifndef TESTS_UNIT_BACKEND_HTTP1_FIXTURE_H
#define TESTS_UNIT_BACKEND_HTTP1_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/backend/backend_pool.h"

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

struct http1_fixture {
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

extern const char http1_good_answer[];

/* For cmocka. */
int http1_set_up(void **state);
int http1_tear_down(void **state);

/* Some turns of the loop, in which connections are accepted, too. */
void http1_turn(struct http1_fixture *f);

/* NULL when there is no room. */
struct backend_stream *http1_try_open(struct http1_fixture *f);
void http1_open(struct http1_fixture *f);
void http1_close(struct http1_fixture *f);

/* What the endpoint says. */
void http1_answer(struct http1_fixture *f, const char *text, size_t length);

/* An orderly end: with bytes unread it would be a reset. */
void http1_close_backend(struct http1_fixture *f);

/* One whole request with its answer. */
void http1_exchange(struct http1_fixture *f, const char *text);

void http1_assert_failed(const struct http1_fixture *f, enum backend_fault fault, bool unprocessed,
                         bool reused);

#define HTTP1_TEST(name) cmocka_unit_test_setup_teardown(name, http1_set_up, http1_tear_down)

#endif
