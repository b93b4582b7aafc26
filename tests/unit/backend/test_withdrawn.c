#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/backend/withdrawn.h"

static void what_nothing_is_heard_of_counts_for_five_to_ten_seconds(void **state)
{
    (void)state;
    for (uint64_t at_ms = 1000000; at_ms < 1005000; at_ms += 777) {
        struct withdrawn *withdrawn = withdrawn_new();
        assert_int_equal(withdrawn_count(withdrawn, at_ms), 0);
        withdrawn_note(withdrawn, at_ms);
        withdrawn_note(withdrawn, at_ms);
        assert_int_equal(withdrawn_count(withdrawn, at_ms + 5000), 2);
        assert_int_equal(withdrawn_count(withdrawn, at_ms + 10000), 0);
        withdrawn_unref(withdrawn);
    }
}

static void after_a_long_silence_nothing_counts(void **state)
{
    (void)state;
    struct withdrawn *withdrawn = withdrawn_new();
    withdrawn_note(withdrawn, 1);
    assert_int_equal(withdrawn_count(withdrawn, 100000000), 0);
    withdrawn_note(withdrawn, 100000000);
    assert_int_equal(withdrawn_count(withdrawn, 100000000), 1);
    withdrawn_unref(withdrawn);
}

static void it_lives_until_nobody_holds_it(void **state)
{
    (void)state;
    struct withdrawn *withdrawn = withdrawn_new();
    struct withdrawn *same = withdrawn_ref(withdrawn);
    same->awaited++;
    withdrawn_unref(withdrawn);
    assert_int_equal(withdrawn_count(same, 0), 1);
    withdrawn_unref(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nothing_is_heard_of_counts_for_five_to_ten_seconds),
        cmocka_unit_test(after_a_long_silence_nothing_counts),
        cmocka_unit_test(it_lives_until_nobody_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
