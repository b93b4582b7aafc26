#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "proxy/http2/hpack_encoder.h"

/* What is encoded is read by nghttp2's decoder. */

enum { BLOCK_BYTES = 64 * 1024, RANDOM_HEADS = 20000, RANDOM_FIELDS = 12 };

struct fixture {
    struct hpack_encoder encoder;
    nghttp2_hd_inflater *inflater;
    char block[BLOCK_BYTES];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    hpack_encoder_init(&fixture.encoder);
    assert_int_equal(nghttp2_hd_inflate_new(&fixture.inflater), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    nghttp2_hd_inflate_del(f->inflater);
    return 0;
}

static struct header_field field_of(const char *name, const char *value)
{
    struct strview view = strview_of(name);
    return (struct header_field){
        .name = view, .value = strview_of(value), .token = header_token_of(view)};
}

/* How many bytes the head took. */
static size_t encode(struct fixture *f, const struct header_field *fields, size_t count)
{
    char *end = hpack_encode_begin(&f->encoder, f->block);
    assert_true((size_t)(end - f->block) <= HPACK_BEGIN_BYTES);
    for (size_t i = 0; i < count; i++) {
        char *begin = end;
        end = hpack_encode_field(&f->encoder, end, &fields[i]);
        assert_true((size_t)(end - begin) <=
                    fields[i].name.length + fields[i].value.length + HPACK_FIELD_BYTES);
    }
    return (size_t)(end - f->block);
}

static void assert_is(const nghttp2_nv *nv, const struct header_field *field)
{
    struct strview name = strview_make((const char *)nv->name, nv->namelen);
    struct strview value = strview_make((const char *)nv->value, nv->valuelen);
    assert_true(strview_equal(name, field->name));
    assert_true(strview_equal(value, field->value));
}

/* Decodes what `encode` wrote: these fields, and no others. *ret_flags: those of the last one. */
static void decode(struct fixture *f, size_t length, const struct header_field *fields,
                   size_t count, uint8_t *ret_flags)
{
    const uint8_t *at = (const uint8_t *)f->block;
    size_t decoded = 0;
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
        nghttp2_nv nv;
        ssize_t taken = nghttp2_hd_inflate_hd2(f->inflater, &nv, &flags, at, length, 1);
        assert_true(taken >= 0);
        at += taken;
        length -= (size_t)taken;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            assert_true(decoded < count);
            assert_is(&nv, &fields[decoded++]);
            *ret_flags = nv.flags;
        }
    }
    assert_int_equal(decoded, count);
    nghttp2_hd_inflate_end_headers(f->inflater);
    size_t size = nghttp2_hd_inflate_get_dynamic_table_size(f->inflater);
    assert_int_equal(size, f->encoder.size);
}

/* Encodes and decodes a head; how many bytes it took. */
static size_t pass(struct fixture *f, const struct header_field *fields, size_t count)
{
    uint8_t flags;
    size_t length = encode(f, fields, count);
    decode(f, length, fields, count, &flags);
    return length;
}

static void what_comes_again_and_again_becomes_a_byte_each(void **state)
{
    struct fixture *f = *state;
    const struct header_field fields[] = {
        field_of(":method", "GET"),       field_of(":scheme", "https"),
        field_of(":authority", "a.test"), field_of("user-agent", "somebody/1.0"),
        field_of("accept", "text/html"),  field_of("x-empty", ""),
        field_of("via", "2 strangler"),
    };
    size_t count = sizeof(fields) / sizeof(fields[0]);
    size_t first = pass(f, fields, count);
    assert_int_equal(f->encoder.count, 0);
    assert_true(pass(f, fields, count) <= first);
    assert_int_equal(f->encoder.count, 5);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pass(f, fields, count), count);
    assert_int_equal(f->encoder.count, 5);
}

static void what_is_of_one_message_only_pushes_nothing_out(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1000; i++) {
        char id[64];
        snprintf(id, sizeof(id), "0123456789abcdef-%d", i);
        const struct header_field fields[] = {field_of("x-request-id", id), field_of(":path", id),
                                              field_of("user-agent", "somebody/1.0")};
        pass(f, fields, 3);
        assert_int_equal(f->encoder.count, i == 0 ? 0 : 1);
    }
}

static void secrets_are_never_indexed_nor_kept(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"cookie", "authorization", "proxy-authorization"};
    for (size_t i = 0; i < 3 * sizeof(names) / sizeof(names[0]); i++) {
        uint8_t flags;
        struct header_field field = field_of(names[i / 3], "Basic of-some-length-that-is-fine");
        size_t length = encode(f, &field, 1);
        decode(f, length, &field, 1, &flags);
        assert_int_equal(flags & NGHTTP2_NV_FLAG_NO_INDEX, NGHTTP2_NV_FLAG_NO_INDEX);
    }
    assert_int_equal(f->encoder.count, 0);
}

static void paths_lengths_and_long_fields_are_not_kept(void **state)
{
    struct fixture *f = *state;
    static char longest[40000];
    memset(longest, 'x', sizeof(longest) - 1);
    const struct header_field fields[] = {field_of(":path", "/a"), field_of("content-length", "5"),
                                          field_of("x-a", longest)};
    for (int i = 0; i < 3; i++)
        pass(f, fields, 3);
    assert_int_equal(f->encoder.count, 0);
}

/* Both ends of a connection learn of a new size at the same place in the bytes. */
static void limit(struct fixture *f, uint32_t bytes)
{
    hpack_encoder_limit(&f->encoder, bytes);
    assert_int_equal(nghttp2_hd_inflate_change_table_size(f->inflater, bytes), 0);
}

static void the_other_end_may_change_the_size_of_the_table(void **state)
{
    struct fixture *f = *state;
    const struct header_field fields[] = {field_of("user-agent", "somebody/1.0"),
                                          field_of("accept", "text/html")};
    const uint32_t limits[] = {4096, 60, 0, 4096, 65536, 100, 31, 32, 0, UINT32_MAX, 77};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        limit(f, limits[i]);
        for (int j = 0; j < 4; j++)
            pass(f, fields, 2);
        assert_true(f->encoder.size <= limits[i]);
    }
}

static void a_size_in_between_counts_although_no_head_was_sent(void **state)
{
    struct fixture *f = *state;
    const struct header_field field = field_of("user-agent", "somebody/1.0");
    for (int i = 0; i < 3; i++)
        pass(f, &field, 1);
    assert_int_equal(f->encoder.count, 1);
    limit(f, 0);
    limit(f, 4096);
    pass(f, &field, 1);
    assert_int_equal(f->encoder.count, 1); /* it was put there again */
    assert_int_equal(f->block[0], 0x20);   /* 0, and then 4096 */
    assert_int_equal(pass(f, &field, 1), 1);
}

/* --- at random ------------------------------------------------------------------------------- */

static uint32_t random_below(uint32_t *seed, uint32_t most)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % most;
}

/* Names and values of few kinds, so that they come again, of all lengths. */
static struct header_field random_field(uint32_t *seed, char *text)
{
    static const char *const names[] = {"user-agent", "accept", "via",    ":path",     "cookie",
                                        "x-a",        "te",     "x-long", ":authority"};
    const char *name = names[random_below(seed, sizeof(names) / sizeof(names[0]))];
    uint32_t kind = random_below(seed, 10);
    size_t length = kind < 7 ? random_below(seed, 12) * 7 : random_below(seed, 1100);
    memset(text, 'a' + (int)random_below(seed, 2), length);
    text[length] = '\0';
    return field_of(name, text);
}

static void heads_at_random_are_decoded_as_they_were(void **state)
{
    struct fixture *f = *state;
    static char texts[RANDOM_FIELDS][1200];
    uint32_t seed = 7;
    uint32_t most = 0;
    for (int i = 0; i < RANDOM_HEADS; i++) {
        struct header_field fields[RANDOM_FIELDS];
        size_t count = random_below(&seed, RANDOM_FIELDS);
        for (size_t j = 0; j < count; j++)
            fields[j] = random_field(&seed, texts[j]);
        if (random_below(&seed, 200) == 0)
            limit(f, random_below(&seed, 5000));
        pass(f, fields, count);
        if (f->encoder.count > most)
            most = f->encoder.count;
    }
    assert_true(most > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_again_and_again_becomes_a_byte_each),
        TEST(what_is_of_one_message_only_pushes_nothing_out),
        TEST(secrets_are_never_indexed_nor_kept),
        TEST(paths_lengths_and_long_fields_are_not_kept),
        TEST(the_other_end_may_change_the_size_of_the_table),
        TEST(a_size_in_between_counts_although_no_head_was_sent),
        TEST(heads_at_random_are_decoded_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
