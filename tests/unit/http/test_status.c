#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/http/status.h"

static void codes_have_their_registered_phrases(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *phrase;
    } rows[] = {
        {100, "Continue"},
        {103, "Early Hints"},
        {200, "OK"},
        {206, "Partial Content"},
        {226, "IM Used"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {404, "Not Found"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {505, "HTTP Version Not Supported"},
        {511, "Network Authentication Required"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(status_phrase(rows[i].status), rows[i].phrase);
}

static void other_codes_have_none(void **state)
{
    (void)state;
    static const int codes[] = {-1,  0,   99,  104, 199, 209, 299, 306,
                                399, 418, 452, 499, 509, 599, 600, 999};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_string_equal(status_phrase(codes[i]), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_their_registered_phrases),
        cmocka_unit_test(other_codes_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
