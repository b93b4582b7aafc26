#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/exchange/local_reply.h"
#include "proxy/http/status.h"

static int set_up(void **state)
{
    static struct arena arena;
    arena_init(&arena, NULL);
    *state = &arena;
    return 0;
}

static int tear_down(void **state)
{
    arena_done(*state);
    return 0;
}

static struct strview value_of(const struct local_reply *reply, const char *name)
{
    const struct header_field *field = headers_find_name(&reply->head.headers, strview_of(name));
    return field != NULL ? field->value : STRVIEW_NONE;
}

static json_t *parsed_body(const struct local_reply *reply)
{
    json_t *json = json_loadb(reply->body.data, reply->body.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void a_reply_is_a_problem_in_json_with_the_requests_id(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_GET, 502, "The backend's answer was malformed.", STRVIEW("abc-1"),
                     *state, &reply);
    assert_int_equal(reply.head.status, 502);
    assert_true(reply.head.has_body);
    assert_true(
        strview_equal(value_of(&reply, "content-type"), STRVIEW("application/problem+json")));
    assert_true(strview_equal(value_of(&reply, "cache-control"), STRVIEW("no-store")));
    json_t *json = parsed_body(&reply);
    json_t *expected = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title",
                                 "Bad Gateway", "status", 502, "detail",
                                 "The backend's answer was malformed.", "request_id", "abc-1");
    assert_true(json_equal(json, expected));
    json_decref(json);
    json_decref(expected);
}

static void what_is_not_known_is_left_out(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_POST, 404, NULL, STRVIEW_NONE, *state, &reply);
    json_t *json = parsed_body(&reply);
    assert_int_equal(json_object_size(json), 3);
    assert_null(json_object_get(json, "detail"));
    assert_null(json_object_get(json, "request_id"));
    json_decref(json);
}

static void every_status_that_we_answer_with_has_its_phrase(void **state)
{
    static const int statuses[] = {400, 403, 404, 405, 408, 413, 414, 421,
                                   429, 431, 500, 501, 502, 503, 504};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct local_reply reply;
        local_reply_make(METHOD_GET, statuses[i], NULL, STRVIEW_NONE, *state, &reply);
        json_t *json = parsed_body(&reply);
        const char *title = json_string_value(json_object_get(json, "title"));
        assert_string_equal(title, status_phrase(statuses[i]));
        assert_string_not_equal(title, "");
        assert_int_equal(json_integer_value(json_object_get(json, "status")), statuses[i]);
        json_decref(json);
    }
}

static void the_length_is_that_of_the_body(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_GET, 503, "x", STRVIEW("id"), *state, &reply);
    uint64_t length = 0;
    assert_true(strview_to_u64(value_of(&reply, "content-length"), UINT64_MAX, &length));
    assert_int_equal(length, reply.body.length);
    assert_int_equal(reply.head.content_length, reply.body.length);
}

static void an_answer_without_content_says_nothing_about_it(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_OPTIONS, 204, NULL, STRVIEW("id"), *state, &reply);
    assert_false(reply.head.has_body);
    assert_int_equal(value_of(&reply, "content-type").length, 0);
    assert_int_equal(value_of(&reply, "content-length").length, 0);
    assert_true(value_of(&reply, "allow").length > 0);
}

static void an_answer_to_head_has_the_length_but_no_content(void **state)
{
    struct local_reply get;
    struct local_reply head;
    local_reply_make(METHOD_GET, 504, "x", STRVIEW("id"), *state, &get);
    local_reply_make(METHOD_HEAD, 504, "x", STRVIEW("id"), *state, &head);
    assert_true(get.head.has_body);
    assert_false(head.head.has_body);
    assert_true(strview_equal(value_of(&head, "content-length"), value_of(&get, "content-length")));
}

static void a_method_that_is_not_allowed_learns_which_are(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_TRACE, 405, NULL, STRVIEW_NONE, *state, &reply);
    struct strview allow = value_of(&reply, "allow");
    struct strview element;
    uint32_t count = 0;
    while (strview_next_element(&allow, &element)) {
        enum http_method method = http_method_parse(element);
        assert_true(method != METHOD_OTHER && method != METHOD_TRACE);
        count++;
    }
    assert_true(count >= 2);
    local_reply_make(METHOD_GET, 404, NULL, STRVIEW_NONE, *state, &reply);
    assert_int_equal(value_of(&reply, "allow").length, 0);
}

static void fields_have_the_tokens_of_their_names(void **state)
{
    struct local_reply reply;
    local_reply_make(METHOD_GET, 405, NULL, STRVIEW_NONE, *state, &reply);
    for (uint32_t i = 0; i < reply.head.headers.count; i++) {
        const struct header_field *field = &reply.head.headers.fields[i];
        assert_int_equal(field->token, header_token_of(field->name));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reply_is_a_problem_in_json_with_the_requests_id),
        TEST(what_is_not_known_is_left_out),
        TEST(every_status_that_we_answer_with_has_its_phrase),
        TEST(the_length_is_that_of_the_body),
        TEST(an_answer_without_content_says_nothing_about_it),
        TEST(an_answer_to_head_has_the_length_but_no_content),
        TEST(a_method_that_is_not_allowed_learns_which_are),
        TEST(fields_have_the_tokens_of_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
