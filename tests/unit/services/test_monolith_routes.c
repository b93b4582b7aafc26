#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "monolith_stub/route.h"

static void answer_list(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    (void)request;
    reply_text(reply, 200, "list");
}

static void answer_item(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)forum;
    reply_text(reply, 200, "item ");
    text_append(&reply->body, request->parameters[0].bytes, request->parameters[0].length);
}

static const struct route routes[] = {
    {.method = "GET", .pattern = "/", .answer = answer_list},
    {.method = "GET", .pattern = "/api/things", .answer = answer_list},
    {.method = "POST", .pattern = "/api/things", .answer = answer_list},
    {.method = "GET", .pattern = "/api/things/{}", .answer = answer_item},
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

static void ask(const char *method, const char *path, struct reply *reply)
{
    struct request request = {.method = method, .path = {path, strlen(path)}};
    reply_init(reply);
    const struct route *route = route_find(routes, ROUTE_COUNT, &request);
    if (route != NULL)
        route->answer(NULL, &request, reply);
    else
        route_answer_without(routes, ROUTE_COUNT, &request, reply);
}

static void assert_answer(const char *method, const char *path, unsigned status, const char *body)
{
    struct reply reply;
    ask(method, path, &reply);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.body.length, strlen(body));
    if (reply.body.length > 0)
        assert_memory_equal(reply.body.bytes, body, reply.body.length);
    reply_done(&reply);
}

static void case_and_one_trailing_slash_do_not_matter(void **state)
{
    (void)state;
    assert_answer("GET", "/", 200, "list");
    assert_answer("GET", "/API/Things", 200, "list");
    assert_answer("GET", "/api/things/", 200, "list");
    assert_answer("HEAD", "/api/things", 200, "list");
    assert_answer("GET", "/api/things/aB%20c/", 200, "item aB%20c");
}

static void nothing_else_is_forgiven(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",     "//",         "//api/things",  "/api//things",       "/api/things//",
        "/%61", "/api/./",    "/api/./things", "/api/../api/things", "/api/things/1/2",
        "/api", "api/things", "/api/thingsX",  "/api/things/1//",    "/api/%74hings",
        "*",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_answer("GET", paths[i], 404, "Not Found");
}

static void other_methods_are_told_what_is_allowed(void **state)
{
    (void)state;
    struct reply reply;
    ask("DELETE", "/api/things/", &reply);
    assert_int_equal(reply.status, 405);
    assert_int_equal(reply.allow_count, 3);
    assert_string_equal(reply.allow[0], "HEAD");
    assert_string_equal(reply.allow[1], "GET");
    assert_string_equal(reply.allow[2], "POST");
    reply_done(&reply);
    ask("OPTIONS", "/api/things/x", &reply);
    assert_int_equal(reply.status, 204);
    assert_null(reply.content_type);
    assert_int_equal(reply.allow_count, 2);
    reply_done(&reply);
    assert_answer("BREW", "/", 501, "Not Implemented");
    assert_answer("OPTIONS", "/nowhere", 404, "Not Found");
    assert_answer("get", "/", 501, "Not Implemented");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_one_trailing_slash_do_not_matter),
        cmocka_unit_test(nothing_else_is_forgiven),
        cmocka_unit_test(other_methods_are_told_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
