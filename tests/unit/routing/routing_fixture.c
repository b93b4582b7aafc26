#include "tests/unit/routing/routing_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void fixture_init(struct fixture *fixture)
{
    *fixture =
        (struct fixture){.builder = route_table_builder_new(), .scratch = match_scratch_new()};
    arena_init(&fixture->arena, NULL);
}

void fixture_done(struct fixture *fixture)
{
    route_table_builder_free(fixture->builder);
    route_table_unref(fixture->table);
    match_scratch_free(fixture->scratch);
    arena_done(&fixture->arena);
}

void fixture_add_to_module(struct fixture *fixture, int64_t module, struct route_spec spec)
{
    struct route_fault fault;
    spec.module = module;
    spec.backend = ROUTE_NO_BACKEND;
    spec.order = fixture->count;
    spec.index = fixture->count++;
    if (!route_table_builder_add(fixture->builder, &spec, &fault))
        fail_msg("%.*s: %s", STRVIEW_ARGS(spec.name), fault.text);
}

void fixture_add(struct fixture *fixture, struct route_spec spec)
{
    fixture_add_to_module(fixture, ROUTE_NO_MODULE, spec);
}

void fixture_build(struct fixture *fixture)
{
    fixture->table = route_table_build_take(fixture->builder);
    fixture->builder = NULL;
}

struct request_head fixture_request(struct fixture *fixture, const char *method,
                                    const char *authority, const char *target)
{
    struct request_head request = {
        .method = http_method_parse(strview_of(method)),
        .method_text = strview_of(method),
        .authority = strview_of(authority),
        .target = strview_of(target),
    };
    headers_init(&request.headers);
    request.path_kind =
        path_canonical(&fixture->arena, request.target, &request.path, &request.query);
    return request;
}

void fixture_header(struct fixture *fixture, struct request_head *request, const char *name,
                    const char *value)
{
    headers_add(&request->headers, &fixture->arena, header_token_of(strview_of(name)),
                strview_of(name), strview_of(value));
}

const char *fixture_find(struct fixture *fixture, const struct request_head *request)
{
    const struct route *route = route_table_find(fixture->table, request, fixture->scratch);
    return route != NULL ? route->name.data : "-";
}

const char *fixture_get(struct fixture *fixture, const char *authority, const char *target)
{
    struct request_head request = fixture_request(fixture, "GET", authority, target);
    return fixture_find(fixture, &request);
}

struct ip_address fixture_ip(const char *text)
{
    struct ip_address ip;
    assert_true(ip_parse(strview_of(text), &ip));
    return ip;
}

int fixture_set_up(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    fixture_done(*state);
    return 0;
}
