#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/json_request.h"

static const struct json_field title = {"title", 3, 5, "A title is 3 to 5 characters long."};

static struct http_view text(const char *string)
{
    return (struct http_view){string, strlen(string)};
}

static struct http_request request_of(const char *body)
{
    return (struct http_request){.authority = text("forum.test:8080"),
                                 .content_type = text("application/json"),
                                 .body = text(body)};
}

/* The status of the refusal; 0: the object was read. */
static unsigned status_of(const struct http_request *request)
{
    struct http_reply reply;
    http_reply_init(&reply);
    json_t *object = json_request_read(request, &reply);
    unsigned status = object != NULL ? 0 : reply.status;
    json_decref(object);
    http_reply_done(&reply);
    return status;
}

static void a_body_is_one_json_object_in_utf_8(void **state)
{
    (void)state;
    static const char *const good[] = {"{}", " {\"a\":[1,null]}\r\n", "{\"a\":\"\\u0000\"}"};
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "\"a\"",
        "{}{}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\\ud800\"}",
        "{'a':1}",
        "{\"a\":1,}",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct http_request request = request_of(good[i]);
        assert_int_equal(status_of(&request), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_request request = request_of(bad[i]);
        assert_int_equal(status_of(&request), 400);
    }
}

static void the_type_is_json_with_any_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned status;
    } types[] = {
        {"application/json", 0},
        {"Application/JSON", 0},
        {"application/json; a=b", 0},
        {"application/json \t;", 0},
        {"", 415},
        {"application/jsonp", 415},
        {"application/json, b", 415},
        {" application/json", 415},
        {"text/plain", 415},
        {"application/x-www-form-urlencoded", 415},
        {"application/problem+json", 415},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct http_request request = request_of("{}");
        request.content_type = text(types[i].type);
        assert_int_equal(status_of(&request), types[i].status);
    }
}

static void an_origin_is_the_host_that_was_asked(void **state)
{
    (void)state;
    static const char *const good[] = {"", "http://forum.test:8080", "https://FORUM.test:8080"};
    static const char *const bad[] = {
        "null",
        "http://forum.test",
        "http://forum.test:80801",
        "http://evil.test:8080",
        "http://evil.test/http://forum.test:8080",
        "forum.test:8080",
        "://",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct http_request request = request_of("{}");
        request.origin = text(good[i]);
        assert_int_equal(status_of(&request), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_request request = request_of("{}");
        request.origin = text(bad[i]);
        request.content_type = text("text/plain"); /* the origin is looked at first */
        assert_int_equal(status_of(&request), 403);
    }
}

static void a_body_that_is_too_large_is_413(void **state)
{
    (void)state;
    struct http_request request = request_of("");
    request.body_is_too_large = true;
    assert_int_equal(status_of(&request), 413);
}

static bool read_title(const char *body, struct http_view *ret_value)
{
    struct http_reply reply;
    struct http_request request = request_of(body);
    http_reply_init(&reply);
    json_t *object = json_request_read(&request, &reply);
    assert_non_null(object);
    bool is_read = json_request_text(object, &title, &reply, ret_value);
    if (!is_read)
        assert_int_equal(reply.status, 422);
    json_decref(object);
    http_reply_done(&reply);
    return is_read;
}

static void a_text_is_counted_in_characters(void **state)
{
    (void)state;
    static const char *const good[] = {"{\"title\":\"abc\"}",
                                       "{\"title\":\"\xc3\xa4\xc3\xb6\xc3\xbcyz\"}",
                                       "{\"title\":\"\\ud834\\udd1e12\"}"};
    static const char *const bad[] = {"{}",
                                      "{\"title\":null}",
                                      "{\"title\":123}",
                                      "{\"title\":[\"abc\"]}",
                                      "{\"title\":\"ab\"}",
                                      "{\"title\":\"abcdef\"}",
                                      "{\"title\":\"\xc3\xa4\xc3\xb6\"}",
                                      "{\"title\":\"ab\\u0000c\"}",
                                      "{\"Title\":\"abc\"}"};
    struct http_view value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(read_title(good[i], &value));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(read_title(bad[i], &value));
}

static bool read_ids(const char *query, struct json_ids *ret_ids)
{
    struct http_reply reply;
    struct http_request request = {.query = text(query)};
    http_reply_init(&reply);
    bool is_read = json_request_ids(&request, &reply, ret_ids);
    if (!is_read)
        assert_int_equal(reply.status, 422);
    http_reply_done(&reply);
    return is_read;
}

static void ids_are_1_to_100_plain_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "ids=",   "ids=,",    "ids=1,", "ids=,1", "ids=1,,2",
        "ids=0", "ids=-1", "ids=1.5",  "ids=x",  "ids=1 ", "ids=1234567890123456",
        "id=1",  "ids=+1", "ids=%31x",
    };
    struct json_ids ids;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(read_ids(bad[i], &ids));
    assert_true(read_ids("a=b&ids=7,123456789012345&c", &ids));
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.each[1], 123456789012345);
    char many[2 * (JSON_IDS + 1) + 8] = "ids=1";
    for (int i = 1; i < JSON_IDS; i++)
        memcpy(many + 3 + 2 * i, ",1", 3);
    assert_true(read_ids(many, &ids));
    assert_int_equal(ids.count, JSON_IDS);
    memcpy(many + strlen(many), ",1", 3);
    assert_false(read_ids(many, &ids));
}

static void a_page_is_a_number_from_1_on(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int64_t page;
    } pages[] = {{"", 1},       {"page=1", 1},   {"page=12", 12},
                 {"page=0", 0}, {"page=-1", 0},  {"page=x", 0},
                 {"page=", 0},  {"page=1.5", 0}, {"page=99999999999999999999", 0}};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct http_reply reply;
        struct http_request request = {.query = text(pages[i].query)};
        int64_t page = 0;
        http_reply_init(&reply);
        assert_int_equal(json_request_page(&request, &reply, &page), pages[i].page != 0);
        assert_int_equal(page, pages[i].page);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_one_json_object_in_utf_8),
        cmocka_unit_test(the_type_is_json_with_any_parameters),
        cmocka_unit_test(an_origin_is_the_host_that_was_asked),
        cmocka_unit_test(a_body_that_is_too_large_is_413),
        cmocka_unit_test(a_text_is_counted_in_characters),
        cmocka_unit_test(ids_are_1_to_100_plain_numbers),
        cmocka_unit_test(a_page_is_a_number_from_1_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
