#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "extracted/service_kit/router.h"

static void answer(struct database *database, const struct http_request *request,
                   struct http_reply *reply)
{
    (void)database;
    (void)request;
    http_reply_text(reply, 200, "yes");
}

static const struct http_route routes[] = {
    {"GET", "/", answer, 0},
    {"GET", "/api/things", answer, 0},
    {"POST", "/api/things", answer, 100},
    {"GET", "/api/things/{}/of/{}", answer, 0},
};

static const struct router router = {routes, sizeof(routes) / sizeof(routes[0])};

static struct http_view text(const char *string)
{
    return (struct http_view){string, strlen(string)};
}

static const struct http_route *find(const char *method, const char *path,
                                     struct http_request *ret_request)
{
    *ret_request = (struct http_request){0};
    router_read_target(ret_request, text(method), text(path));
    return router_find(&router, ret_request);
}

static void a_route_is_found_whatever_the_case_the_last_slash_and_the_query(void **state)
{
    (void)state;
    struct http_request request;
    assert_ptr_equal(find("GET", "/", &request), &routes[0]);
    assert_ptr_equal(find("GET", "/?a=/b", &request), &routes[0]);
    assert_ptr_equal(find("HEAD", "/Api/THINGS/", &request), &routes[1]);
    assert_ptr_equal(find("GET", "/api/things/?x=1", &request), &routes[1]);
    assert_true(http_view_equals(request.query, "x=1"));
    assert_ptr_equal(find("POST", "/api/things", &request), &routes[2]);
}

static void parameters_are_raw_segments(void **state)
{
    (void)state;
    struct http_request request;
    assert_ptr_equal(find("GET", "/api/things/%31/Of/b%2fc/", &request), &routes[3]);
    assert_true(http_view_equals(request.parameters[0], "%31"));
    assert_true(http_view_equals(request.parameters[1], "b%2fc"));
    assert_null(find("GET", "/api/things//of/b", &request));
    assert_null(find("GET", "/api/things/a/of", &request));
    assert_null(find("GET", "/api/things/a/of/", &request));
}

static void nothing_is_normalised(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "//",
        "?",
        "//api/things",
        "/api//things",
        "/api/things//",
        "/api/./things",
        "/%61pi/things",
        "/api/thing",
        "/api/thingss",
        "api/things",
        "*",
        "/api/things/1",
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_null(find("GET", paths[i], &request));
}

static void assert_refusal(const char *method, const char *path, unsigned status,
                           unsigned allow_count)
{
    struct http_request request;
    struct http_reply reply;
    assert_null(find(method, path, &request));
    http_reply_init(&reply);
    router_refuse(&router, &request, &reply);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.allow_count, allow_count);
    http_reply_done(&reply);
}

static void a_refusal_names_the_methods_of_the_path(void **state)
{
    (void)state;
    assert_refusal("OPTIONS", "/api/things", 204, 3);
    assert_refusal("DELETE", "/api/things", 405, 3);
    assert_refusal("POST", "/", 405, 2);
    assert_refusal("POST", "/nowhere", 404, 0);
    assert_refusal("OPTIONS", "/nowhere", 404, 0);
    assert_refusal("BREW", "/", 501, 2);
    assert_refusal("", "", 501, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_is_found_whatever_the_case_the_last_slash_and_the_query),
        cmocka_unit_test(parameters_are_raw_segments),
        cmocka_unit_test(nothing_is_normalised),
        cmocka_unit_test(a_refusal_names_the_methods_of_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
