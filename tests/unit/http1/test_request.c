#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http/request_check.h"
#include "proxy/http1/http1_request.h"

static const struct limits limits = {.header_bytes = 1000, .header_fields = 10};

struct fixture {
    struct arena arena;
    struct http1_request request;
    struct request_head head;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, NULL);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_done(&f->arena);
    return 0;
}

/* "line|name: value|…" as a head; gives the status that the check would answer with. */
static int status_of(struct fixture *f, const char *text)
{
    struct strview rest = strview_of(text);
    size_t length = strview_find(rest, '|');
    f->request = (struct http1_request){.minor = 1};
    request_head_init(&f->head);
    http1_request_line(&f->request, &f->head, &f->arena, strview_make(rest.data, length));
    while (length < rest.length) {
        rest = strview_from(rest, length + 1);
        length = strview_find(rest, '|');
        struct strview line = strview_make(rest.data, length);
        size_t colon = strview_find(line, ':');
        http1_request_field(&f->request, &f->head, &f->arena, &limits,
                            strview_make(line.data, colon),
                            strview_trim(strview_from(line, colon + 1)));
    }
    http1_request_done(&f->request, &f->head, &f->arena);
    return request_check(&f->head, &limits).status;
}

static void a_good_request_is_understood(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(status_of(f, "GET /a/./b?c HTTP/1.1|host: Example.org:80"), 0);
    assert_int_equal(f->head.method, METHOD_GET);
    assert_true(strview_equal(f->head.target, STRVIEW("/a/./b?c")));
    assert_true(strview_equal(f->head.path, STRVIEW("/a/b")));
    assert_true(strview_equal(f->head.query, STRVIEW("?c")));
    assert_true(strview_equal(f->head.authority, STRVIEW("example.org:80")));
    assert_true(f->request.keeps);
    assert_false(f->head.has_body || f->request.chunked || f->request.wants_trailers);
    assert_int_equal(f->request.minor, 1);
}

static void request_lines_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {"", 400},
        {"GET", 400},
        {"GET /", 400},
        {"GET / ", 400},
        {"GET  / HTTP/1.1", 400},
        {"GET /  HTTP/1.1", 400},
        {"GET / HTTP/1.1 ", 400},
        {" GET / HTTP/1.1", 400},
        {"GET /a b HTTP/1.1", 400},
        {"GET\t/ HTTP/1.1", 400},
        {"GET / http/1.1", 400},
        {"GET / HTTP/1", 400},
        {"GET / HTTP/11", 400},
        {"GET / HTTP/1.10", 400},
        {"GET / HTTP/01.1", 400},
        {"GET / HTTP/-1.1", 400},
        {"GET / RTSP/1.0", 400},
        {"GET / ICE/1.0", 400},
        {"GET / HTTP/0.9", 505},
        {"GET / HTTP/2.0", 505},
        {"PRI * HTTP/2.0", 505},
        {"GET / HTTP/3.0", 505},
        {"G\x01T / HTTP/1.1", 400},
        {"G(T / HTTP/1.1", 400},
        {"BREW / HTTP/1.1", 501},
        {"get / HTTP/1.1", 501},
        {"GET x HTTP/1.1", 400},
        {"GET /\x7f HTTP/1.1", 400},
        {"GET /\r HTTP/1.1", 400},
        {"GET /# HTTP/1.1", 400},
        {"GET * HTTP/1.1", 400},
        {"CONNECT a:80 HTTP/1.1", 501},
        {"GET / HTTP/1.2", 0},
        {"OPTIONS * HTTP/1.1", 0},
        {"QUERY / HTTP/1.1", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "%s|host: a", rows[i].line);
        assert_int_equal(status_of(f, text), rows[i].status);
    }
}

static void an_absolute_target_names_the_host(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(status_of(f, "GET HTTP://Example.org:81/a?b HTTP/1.1|host: other"), 0);
    assert_true(strview_equal(f->head.authority, STRVIEW("example.org:81")));
    assert_true(strview_equal(f->head.path, STRVIEW("/a")));
    assert_int_equal(status_of(f, "GET https://a HTTP/1.1|host: a"), 0);
    assert_true(strview_equal(f->head.path, STRVIEW("/")));
    assert_true(strview_equal(f->head.scheme, STRVIEW("https")));
    assert_int_equal(status_of(f, "GET http://a?b HTTP/1.1|host: a"), 0);
    assert_true(strview_equal(f->head.path, STRVIEW("/")));
    assert_true(strview_equal(f->head.query, STRVIEW("?b")));
    assert_int_equal(status_of(f, "OPTIONS http://a HTTP/1.1|host: a"), 0);
    assert_int_equal(f->head.path_kind, PATH_ASTERISK);
}

static void a_host_is_said_exactly_once(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "GET / HTTP/1.1",
        "GET / HTTP/1.1|host:",
        "GET / HTTP/1.1|host: a|host: a",
        "GET / HTTP/1.1|host: a b",
        "GET / HTTP/1.1|host: a,b",
        "GET / HTTP/1.1|host: a@b",
        "GET / HTTP/1.1|host: a/b",
        "GET http://a/ HTTP/1.1",
        "GET http://a/ HTTP/1.1|host:",
        "GET http://a/ HTTP/1.1|host: b@c",
        "GET http://a/ HTTP/1.1|host: a|host: a",
        "GET http:/// HTTP/1.1|host: a",
        "GET http://u@a/ HTTP/1.1|host: a",
        "GET ftp://a/ HTTP/1.1|host: a",
        "GET a:80 HTTP/1.1|host: a",
        "GET / HTTP/1.0|host: a|host: b",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(status_of(f, bad[i]), 400);
}

static void bodies_are_framed_in_one_way_only(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *fields;
        int status;
    } rows[] = {
        {"content-length: 5", 0},
        {"content-length: 0", 0},
        {"transfer-encoding: chunked", 0},
        {"transfer-encoding: CHUNKED", 0},
        {"content-length: 5|content-length: 5", 400},
        {"content-length: 5, 5", 400},
        {"content-length: +5", 400},
        {"content-length:", 400},
        {"content-length: 5|transfer-encoding: chunked", 400},
        {"transfer-encoding: chunked|content-length: 5", 400},
        {"transfer-encoding:", 400},
        {"transfer-encoding: ,", 400},
        {"transfer-encoding: identity", 400},
        {"transfer-encoding: xchunked", 400},
        {"transfer-encoding: chunked, identity", 400},
        {"transfer-encoding: chunked, chunked", 400},
        {"transfer-encoding: chunked|transfer-encoding: chunked", 400},
        {"transfer-encoding: chunked|transfer-encoding: identity", 400},
        {"transfer-encoding: ,chunked", 400},
        {"transfer-encoding: chunked;q=1", 400},
        {"transfer-encoding: \"chunked\"", 400},
        {"transfer-encoding: gzip", 400},
        {"transfer-encoding: gzip, chunked", 501},
        {"transfer-encoding: gzip|transfer-encoding: chunked", 501},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "POST / HTTP/1.1|host: a|%s", rows[i].fields);
        assert_int_equal(status_of(f, text), rows[i].status);
    }
    assert_int_equal(status_of(f, "GET / HTTP/1.1|host: a|content-length: 5"), 0);
    assert_true(f->head.has_body);
    assert_int_equal(f->head.content_length, 5);
    assert_int_equal(status_of(f, "GET / HTTP/1.1|host: a|transfer-encoding: chunked"), 0);
    assert_true(f->head.has_body && f->request.chunked);
    assert_int_equal(f->head.content_length, CONTENT_LENGTH_UNKNOWN);
    assert_int_equal(status_of(f, "POST / HTTP/1.0|host: a|transfer-encoding: chunked"), 400);
}

static void connections_are_kept_as_the_version_and_the_client_say(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        bool keeps;
    } rows[] = {
        {"GET / HTTP/1.1|host: a", true},
        {"GET / HTTP/1.1|host: a|connection: x, Close", false},
        {"GET / HTTP/1.1|host: a|connection: keep-alive|connection: close", false},
        {"GET / HTTP/1.0|host: a", false},
        {"GET / HTTP/1.0|host: a|connection: Keep-Alive", true},
        {"GET / HTTP/1.0|host: a|connection: keep-alive, close", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(status_of(f, rows[i].text), 0);
        assert_int_equal(f->request.keeps, rows[i].keeps);
    }
}

static void expectations_and_trailers_are_noticed_where_they_mean_something(void **state)
{
    struct fixture *f = *state;
    status_of(f, "POST / HTTP/1.1|host: a|content-length: 1|expect: 100-Continue|te: a, trailers");
    assert_true(f->request.expects_continue && f->request.wants_trailers);
    assert_non_null(headers_find(&f->head.headers, HEADER_EXPECT));
    status_of(f, "POST / HTTP/1.0|host: a|content-length: 1|expect: 100-continue");
    assert_false(f->request.expects_continue);
    assert_null(headers_find(&f->head.headers, HEADER_EXPECT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_request_is_understood),
        TEST(request_lines_that_are_none_are_refused),
        TEST(an_absolute_target_names_the_host),
        TEST(a_host_is_said_exactly_once),
        TEST(bodies_are_framed_in_one_way_only),
        TEST(connections_are_kept_as_the_version_and_the_client_say),
        TEST(expectations_and_trailers_are_noticed_where_they_mean_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
