#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http1/http1_output.h"

struct fixture {
    struct buffer_pool pool;
    struct byte_queue output;
    struct arena arena;
    struct headers headers;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    buffer_pool_init(&f->pool, 4);
    byte_queue_init(&f->output, &f->pool);
    arena_init(&f->arena, NULL);
    headers_init(&f->headers);
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

static void a_head_is_what_stands_before_and_behind_its_fields(void **state)
{
    struct fixture *f = *state;
    const struct strview line[] = {STRVIEW("HTTP/1.1 200"), STRVIEW_NONE, STRVIEW(" OK\r\n")};
    const struct strview framing[] = {STRVIEW("connection: close\r\n"), STRVIEW("x: y\r\n")};
    http1_write_head(&f->output, (struct http1_text){line, 3}, &f->headers,
                     (struct http1_text){NULL, 0});
    assert_string_equal(output_text(f), "HTTP/1.1 200 OK\r\n\r\n");
    byte_queue_clear(&f->output);
    add(f, STRVIEW("accept"), STRVIEW("*/*"));
    add(f, STRVIEW("x-empty"), STRVIEW_NONE);
    http1_write_head(&f->output, (struct http1_text){line, 3}, &f->headers,
                     (struct http1_text){framing, 2});
    assert_string_equal(output_text(f), "HTTP/1.1 200 OK\r\naccept: */*\r\nx-empty: \r\n"
                                        "connection: close\r\nx: y\r\n\r\n");
}

static void chunks_are_framed_by_their_size_in_hexadecimal(void **state)
{
    struct fixture *f = *state;
    http1_write_chunk(&f->output, NULL, "abc", 3);
    http1_write_chunk(&f->output, NULL, "0123456789abcdefg", 17);
    http1_write_last_chunk(&f->output, NULL);
    assert_string_equal(output_text(f), "3\r\nabc\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
}

static void a_chunk_without_bytes_would_end_the_body_and_is_not_written(void **state)
{
    struct fixture *f = *state;
    http1_write_chunk(&f->output, NULL, "", 0);
    assert_int_equal(f->output.bytes, 0);
}

static void a_large_chunk_is_referenced_not_copied(void **state)
{
    struct fixture *f = *state;
    struct buffer *buffer = buffer_new(&f->pool);
    memset(buffer->bytes, 'd', 10000);
    buffer->used = 10000;
    http1_write_chunk(&f->output, buffer, buffer->bytes, 10000);
    assert_int_equal(buffer->references, 2);
    assert_int_equal(f->output.bytes, 6 + 10000 + 2);
    assert_int_equal(strncmp(output_text(f), "2710\r\nddd", 9), 0);
    buffer_unref(buffer);
}

static void trailers_stand_behind_the_last_chunk(void **state)
{
    struct fixture *f = *state;
    add(f, STRVIEW("x-checksum"), STRVIEW("abc"));
    add(f, STRVIEW("x-other"), STRVIEW_NONE);
    http1_write_last_chunk(&f->output, &f->headers);
    assert_string_equal(output_text(f), "0\r\nx-checksum: abc\r\nx-other: \r\n\r\n");
    byte_queue_clear(&f->output);
    headers_init(&f->headers);
    http1_write_last_chunk(&f->output, &f->headers);
    assert_string_equal(output_text(f), "0\r\n\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_head_is_what_stands_before_and_behind_its_fields),
        TEST(chunks_are_framed_by_their_size_in_hexadecimal),
        TEST(a_chunk_without_bytes_would_end_the_body_and_is_not_written),
        TEST(a_large_chunk_is_referenced_not_copied),
        TEST(trailers_stand_behind_the_last_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
