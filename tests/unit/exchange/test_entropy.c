#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/exchange/entropy.h"

enum { PIECE_BYTES = 16, PIECES = 2000 };

static int compare_pieces(const void *a, const void *b)
{
    return memcmp(a, b, PIECE_BYTES);
}

static void no_bytes_are_given_twice(void **state)
{
    (void)state;
    static uint8_t pieces[PIECES][PIECE_BYTES]; /* several refills */
    struct entropy entropy;
    entropy_init(&entropy);
    for (int i = 0; i < PIECES; i++)
        memcpy(pieces[i], entropy_take(&entropy, PIECE_BYTES), PIECE_BYTES);
    qsort(pieces, PIECES, PIECE_BYTES, compare_pieces);
    for (int i = 1; i < PIECES; i++)
        assert_memory_not_equal(pieces[i - 1], pieces[i], PIECE_BYTES);
}

static void pieces_of_any_length_lie_inside_and_do_not_overlap(void **state)
{
    (void)state;
    struct entropy entropy;
    entropy_init(&entropy);
    const uint8_t *end = NULL;
    for (size_t i = 0; i < 1000; i++) {
        size_t length = i * 37 % 257;
        const uint8_t *bytes = entropy_take(&entropy, length);
        assert_true(bytes >= entropy.bytes && bytes + length <= entropy.bytes + ENTROPY_BYTES);
        assert_true(end == NULL || bytes == end || bytes == entropy.bytes);
        end = bytes + length;
    }
}

static void what_was_looked_at_is_what_is_taken_next_and_then_never_again(void **state)
{
    (void)state;
    struct entropy entropy;
    entropy_init(&entropy);
    for (int i = 0; i < PIECES; i++) {
        const uint8_t *seen = entropy_peek(&entropy, PIECE_BYTES);
        assert_ptr_equal(entropy_peek(&entropy, PIECE_BYTES), seen);
        assert_ptr_equal(entropy_take(&entropy, PIECE_BYTES), seen);
        assert_ptr_not_equal(entropy_peek(&entropy, PIECE_BYTES), seen);
    }
}

static void every_bit_is_sometimes_set_and_sometimes_not(void **state)
{
    (void)state;
    struct entropy entropy;
    entropy_init(&entropy);
    uint8_t any[64] = {0};
    uint8_t all[64];
    memset(all, 0xff, sizeof(all));
    for (int i = 0; i < 200; i++) {
        const uint8_t *bytes = entropy_take(&entropy, sizeof(any));
        for (size_t j = 0; j < sizeof(any); j++) {
            any[j] |= bytes[j];
            all[j] &= bytes[j];
        }
    }
    for (size_t j = 0; j < sizeof(any); j++) {
        assert_int_equal(any[j], 0xff);
        assert_int_equal(all[j], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_are_given_twice),
        cmocka_unit_test(pieces_of_any_length_lie_inside_and_do_not_overlap),
        cmocka_unit_test(what_was_looked_at_is_what_is_taken_next_and_then_never_again),
        cmocka_unit_test(every_bit_is_sometimes_set_and_sometimes_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
