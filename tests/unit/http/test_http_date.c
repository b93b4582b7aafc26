#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/http_date.h"

static void a_date_is_said_as_the_rfc_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        const char *text;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1893456000, "Tue, 01 Jan 2030 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    struct http_date date = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strview text = http_date_at(&date, rows[i].seconds * 1000 + 999);
        assert_true(strview_equal(text, strview_of(rows[i].text)));
    }
}

static void within_a_second_it_is_not_made_again(void **state)
{
    (void)state;
    struct http_date date = {0};
    http_date_at(&date, 1000);
    date.text[0] = 'x';
    assert_int_equal(http_date_at(&date, 1999).data[0], 'x');
    assert_int_equal(http_date_at(&date, 2000).data[0], 'T');
    assert_int_equal(http_date_at(&date, 1999).data[0], 'T'); /* clocks may be set back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_said_as_the_rfc_does),
        cmocka_unit_test(within_a_second_it_is_not_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
