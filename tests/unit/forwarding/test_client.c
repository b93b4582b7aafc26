/* Who asked, seen through trusted proxies: everything in 10.0.0.0/8 is one here. */
#include "tests/unit/forwarding/forwarding_fixture.h"

static bool is_ten(const void *context, struct strview ip)
{
    (void)context;
    return strview_starts_with(ip, STRVIEW("10."));
}

static bool is_anything(const void *context, struct strview ip)
{
    (*(int *)(uintptr_t)context)++;
    (void)ip;
    return true;
}

static void the_last_address_that_is_not_trusted_is_the_client(void **state)
{
    struct forwarded *f = *state;
    static const char *const rows[][2] = {
        {"", ""},
        {"203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", ""},
        {"203.0.113.9, 10.0.0.1", "203.0.113.9"},
        {"203.0.113.9,10.0.0.1 , 10.0.0.2", "203.0.113.9"},
        {"198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"}, /* the first one may be a lie */
        {"10.0.0.1, 203.0.113.9", "203.0.113.9"},
        {"203.0.113.9,", "203.0.113.9"},
        {",,203.0.113.9,,10.0.0.1,,", "203.0.113.9"},
        {" , ", ""},
        {"garbage, 10.0.0.1", "garbage"},
        {"10.0.0.1, 2001:db8::1", "2001:db8::1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        headers_init(&f->request.headers);
        forwarded_add(f, "x-forwarded-for", rows[i][0]);
        struct strview client = forwarding_client_text(&f->request, is_ten, NULL);
        assert_true(strview_equal(client, strview_of(rows[i][1])));
    }
}

static void several_fields_are_one_list(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "x-forwarded-for", "198.51.100.1, 203.0.113.9");
    forwarded_add(f, "accept", "*/*");
    forwarded_add(f, "x-forwarded-for", "10.0.0.1");
    forwarded_add(f, "x-forwarded-for", "10.0.0.2, 10.0.0.3");
    struct strview client = forwarding_client_text(&f->request, is_ten, NULL);
    assert_true(strview_equal(client, STRVIEW("203.0.113.9")));
}

static void without_the_field_the_connection_says_who_asked(void **state)
{
    struct forwarded *f = *state;
    forwarded_add(f, "accept", "*/*");
    assert_int_equal(forwarding_client_text(&f->request, is_ten, NULL).length, 0);
}

static void every_element_is_asked_about_once_when_all_are_trusted(void **state)
{
    struct forwarded *f = *state;
    int asked = 0;
    forwarded_add(f, "x-forwarded-for", "a, b");
    forwarded_add(f, "x-forwarded-for", "c");
    assert_int_equal(forwarding_client_text(&f->request, is_anything, &asked).length, 0);
    assert_int_equal(asked, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDED_TEST(the_last_address_that_is_not_trusted_is_the_client),
        FORWARDED_TEST(several_fields_are_one_list),
        FORWARDED_TEST(without_the_field_the_connection_says_who_asked),
        FORWARDED_TEST(every_element_is_asked_about_once_when_all_are_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
