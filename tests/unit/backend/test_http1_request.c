#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/backend/http1_request.h"

struct fixture {
    struct buffer_pool pool;
    struct byte_queue output;
    struct arena arena;
    struct headers headers;
    struct backend_request request;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    buffer_pool_init(&f->pool, 4);
    byte_queue_init(&f->output, &f->pool);
    arena_init(&f->arena, NULL);
    headers_init(&f->headers);
    f->request = (struct backend_request){
        .method = METHOD_GET,
        .method_text = STRVIEW("GET"),
        .scheme = STRVIEW("http"),
        .authority = STRVIEW("example.org:8080"),
        .path = STRVIEW("/a"),
        .headers = &f->headers,
        .content_length = CONTENT_LENGTH_UNKNOWN,
    };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    byte_queue_done(&f->output);
    assert_int_equal(f->pool.live, 0);
    buffer_pool_done(&f->pool);
    arena_done(&f->arena);
    return 0;
}

static void add(struct fixture *f, struct strview name, struct strview value)
{
    headers_add(&f->headers, &f->arena, header_token_of(name), name, value);
}

/* All of the output as a string in the arena. */
static const char *output_text(struct fixture *f)
{
    size_t length = f->output.bytes;
    char *text = arena_alloc(&f->arena, length + 1);
    assert_int_equal(byte_queue_copy_out(&f->output, text, length), length);
    text[length] = '\0';
    return text;
}

static const char *head_text(struct fixture *f)
{
    byte_queue_clear(&f->output);
    http1_request_write_head(&f->output, &f->request);
    return output_text(f);
}

static void a_get_has_line_host_fields_and_no_framing(void **state)
{
    struct fixture *f = *state;
    f->request.query = STRVIEW("?q=1");
    add(f, STRVIEW("accept"), STRVIEW("*/*"));
    add(f, STRVIEW("x-empty"), STRVIEW_NONE);
    assert_string_equal(head_text(f), "GET /a?q=1 HTTP/1.1\r\nhost: example.org:8080\r\n"
                                      "accept: */*\r\nx-empty: \r\n\r\n");
    assert_false(http1_request_is_chunked(&f->request));
}

static void a_method_that_expects_content_says_that_there_is_none(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum http_method method;
        bool says_zero;
    } rows[] = {
        {METHOD_POST, true},  {METHOD_PUT, true},     {METHOD_PATCH, true},    {METHOD_GET, false},
        {METHOD_HEAD, false}, {METHOD_DELETE, false}, {METHOD_OPTIONS, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->request.method = rows[i].method;
        f->request.method_text = http_method_name(rows[i].method);
        char expected[128];
        snprintf(expected, sizeof(expected), "%.*s /a HTTP/1.1\r\nhost: example.org:8080\r\n%s\r\n",
                 STRVIEW_ARGS(f->request.method_text),
                 rows[i].says_zero ? "content-length: 0\r\n" : "");
        assert_string_equal(head_text(f), expected);
    }
}

static void a_body_is_framed_by_its_length_or_in_chunks(void **state)
{
    struct fixture *f = *state;
    f->request.method = METHOD_DELETE;
    f->request.method_text = STRVIEW("DELETE");
    f->request.has_body = true;
    f->request.content_length = INT64_MAX;
    assert_string_equal(head_text(f), "DELETE /a HTTP/1.1\r\nhost: example.org:8080\r\n"
                                      "content-length: 9223372036854775807\r\n\r\n");
    assert_false(http1_request_is_chunked(&f->request));
    f->request.content_length = CONTENT_LENGTH_UNKNOWN;
    assert_string_equal(head_text(f), "DELETE /a HTTP/1.1\r\nhost: example.org:8080\r\n"
                                      "transfer-encoding: chunked\r\n\r\n");
    assert_true(http1_request_is_chunked(&f->request));
}

/* The head as it has to be, made in the plainest way. */
static const char *expected_head(struct fixture *f)
{
    struct strview text =
        arena_printf(&f->arena, "%.*s %.*s%.*s HTTP/1.1\r\nhost: %.*s\r\n",
                     STRVIEW_ARGS(f->request.method_text), STRVIEW_ARGS(f->request.path),
                     STRVIEW_ARGS(f->request.query), STRVIEW_ARGS(f->request.authority));
    for (uint32_t i = 0; i < f->headers.count; i++)
        text = arena_printf(&f->arena, "%.*s%.*s: %.*s\r\n", STRVIEW_ARGS(text),
                            STRVIEW_ARGS(f->headers.fields[i].name),
                            STRVIEW_ARGS(f->headers.fields[i].value));
    return arena_printf(&f->arena, "%.*scontent-length: 7\r\n\r\n", STRVIEW_ARGS(text)).data;
}

static void a_head_of_any_size_has_the_same_form(void **state)
{
    struct fixture *f = *state;
    static char filler[3 * BUFFER_BYTES];
    memset(filler, 'v', sizeof(filler));
    f->request.method = METHOD_POST;
    f->request.method_text = STRVIEW("POST");
    f->request.has_body = true;
    f->request.content_length = 7;
    f->request.query = STRVIEW("?q");
    add(f, STRVIEW("x-first"), STRVIEW("1"));
    add(f, STRVIEW("x-large"), STRVIEW_NONE);
    add(f, STRVIEW("x-last"), STRVIEW_NONE);
    size_t rest = strlen(expected_head(f));
    /* Around the size of a buffer by one byte, a field of a buffer, one beyond it. */
    const size_t sizes[] = {BUFFER_BYTES - rest - 1, BUFFER_BYTES - rest, BUFFER_BYTES - rest + 1,
                            BUFFER_BYTES - 11,       BUFFER_BYTES,        2 * BUFFER_BYTES,
                            3 * BUFFER_BYTES};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        f->headers.fields[1].value = strview_make(filler, sizes[i]);
        assert_string_equal(head_text(f), expected_head(f));
    }
}

static void many_fields_make_a_large_head_too(void **state)
{
    struct fixture *f = *state;
    f->request.method = METHOD_POST;
    f->request.method_text = STRVIEW("POST");
    f->request.has_body = true;
    f->request.content_length = 7;
    static char value[600];
    memset(value, 'w', sizeof(value));
    for (int i = 0; i < 128; i++)
        add(f, STRVIEW("x-name"), strview_make(value, sizeof(value)));
    assert_string_equal(head_text(f), expected_head(f));
    assert_true(f->output.bytes > 2 * BUFFER_BYTES);
}

static void a_head_that_fits_lies_in_one_piece(void **state)
{
    struct fixture *f = *state;
    add(f, STRVIEW("accept"), STRVIEW("*/*"));
    http1_request_write_head(&f->output, &f->request);
    struct iovec vectors[2];
    assert_int_equal(byte_queue_peek(&f->output, vectors, 2), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_get_has_line_host_fields_and_no_framing),
        TEST(a_method_that_expects_content_says_that_there_is_none),
        TEST(a_body_is_framed_by_its_length_or_in_chunks),
        TEST(a_head_of_any_size_has_the_same_form),
        TEST(many_fields_make_a_large_head_too),
        TEST(a_head_that_fits_lies_in_one_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
