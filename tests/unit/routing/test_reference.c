#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <strings.h>

#include "tests/unit/routing/routing_fixture.h"

/*
 * The table against a matcher that looks at every route in turn and compares the rules of
 * precedence one by one, on random routes and requests from an alphabet small enough for hits.
 */
enum { TEXT_BYTES = 64, MANY_ROUTES = 10000, MANY_REQUESTS = 2000, CONFLICTS = 400 };

struct plain_route {
    char host[TEXT_BYTES];
    char path[TEXT_BYTES];
    char kind; /* 'e'xact, 'p'refix, 'r'egex */
    bool ignore_case;
    int priority;
    uint32_t methods;
};

struct plain_request {
    char authority[TEXT_BYTES];
    char path[TEXT_BYTES];
    bool post;
};

static uint64_t random_state;

static unsigned random_below(unsigned bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % bound;
}

static void random_path(char path[static TEXT_BYTES], unsigned segments)
{
    static const char *const words[] = {"a", "b", "ab", "A", "Ab", "users", "user", "x-1"};
    size_t length = 0;
    path[0] = '/';
    path[1] = '\0';
    for (unsigned i = 0; i < segments; i++)
        length +=
            (size_t)snprintf(path + length, TEXT_BYTES - length, "/%s", words[random_below(8)]);
    if (segments > 0 && random_below(8) == 0)
        snprintf(path + length, TEXT_BYTES - length, "/");
}

static struct plain_route random_route(void)
{
    static const char *const hosts[] = {"", "", "", "a.org", "b.a.org", "*.org", "*.a.org"};
    struct plain_route route = {.kind = "epppr"[random_below(5)],
                                .ignore_case = random_below(4) == 0,
                                .priority = (int)random_below(3) - 1,
                                .methods = random_below(3) == 0 ? 1u << METHOD_POST : 0};
    snprintf(route.host, sizeof(route.host), "%s", hosts[random_below(7)]);
    random_path(route.path, random_below(6));
    if (route.kind == 'r')
        snprintf(route.path, sizeof(route.path), "%c%c", "/abuAx"[random_below(6)],
                 "abs1/U"[random_below(6)]);
    return route;
}

static struct plain_request random_request(void)
{
    static const char *const authorities[] = {"a.org", "b.a.org:8080", "c.b.a.org", "c.org", "d"};
    struct plain_request request = {.post = random_below(2) == 0};
    snprintf(request.authority, sizeof(request.authority), "%s", authorities[random_below(5)]);
    random_path(request.path, random_below(8));
    return request;
}

static bool starts_with(const struct plain_route *route, const char *path)
{
    size_t length = strlen(route->path);
    return route->ignore_case ? strncasecmp(route->path, path, length) == 0
                              : strncmp(route->path, path, length) == 0;
}

static bool path_matches(const struct plain_route *route, const char *path)
{
    size_t length = strlen(route->path);
    if (route->kind == 'r')
        return (route->ignore_case ? strcasestr(path, route->path) : strstr(path, route->path)) !=
               NULL;
    if (!starts_with(route, path))
        return false;
    if (route->kind == 'e')
        return path[length] == '\0';
    return path[length] == '\0' || path[length] == '/' || route->path[length - 1] == '/';
}

static bool host_matches(const char *pattern, const char *authority)
{
    char host[TEXT_BYTES];
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(authority, ":"), authority);
    if (pattern[0] == '\0' || strcmp(pattern, host) == 0)
        return true;
    size_t tail = strlen(pattern) - 1;
    return pattern[0] == '*' && strlen(host) > tail &&
           strcmp(host + strlen(host) - tail, pattern + 1) == 0;
}

static bool route_matches(const struct plain_route *route, const struct plain_request *request)
{
    return (route->methods == 0 || request->post) &&
           host_matches(route->host, request->authority) && path_matches(route, request->path);
}

/* Positive when `a` goes before `b`. */
static long precedence(const struct plain_route *a, const struct plain_route *b)
{
    const struct plain_route *both[] = {a, b};
    long keys[2][4];
    for (int i = 0; i < 2; i++) {
        const struct plain_route *route = both[i];
        long host = (long)strlen(route->host);
        keys[i][0] = host == 0 ? 0 : route->host[0] == '*' ? host : 1000;
        keys[i][1] = route->kind == 'e' ? 1000 : route->kind == 'p' ? (long)strlen(route->path) : 0;
        keys[i][2] = route->priority;
        keys[i][3] = route->methods != 0 ? 1 : 0; /* the regex counts for either or neither */
    }
    for (int i = 0; i < 4; i++) {
        if (keys[0][i] != keys[1][i])
            return keys[0][i] - keys[1][i];
    }
    return b - a; /* places in one array: file order */
}

static const struct plain_route *plain_find(const struct plain_route *routes, size_t count,
                                            const struct plain_request *request)
{
    const struct plain_route *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (route_matches(&routes[i], request) &&
            (best == NULL || precedence(&routes[i], best) > 0))
            best = &routes[i];
    }
    return best;
}

static void add_plain(struct fixture *fixture, const struct plain_route *route)
{
    struct route_spec spec = {.host = strview_of(route->host),
                              .ignore_case = route->ignore_case,
                              .priority = route->priority,
                              .methods = route->methods};
    struct strview path = strview_of(route->path);
    if (route->kind == 'e')
        spec.exact = path;
    else if (route->kind == 'p')
        spec.prefix = path;
    else
        spec.regex = path;
    fixture_add(fixture, spec);
}

static void assert_is_reachable(const struct route_conflict *conflicts, size_t count,
                                uint32_t index)
{
    for (size_t i = 0; i < count; i++)
        assert_false(conflicts[i].kind == ROUTE_UNREACHABLE && conflicts[i].second == index);
}

static void assert_same_answers(struct plain_route *routes, size_t route_count, size_t requests)
{
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < route_count; i++) {
        routes[i] = random_route();
        add_plain(&fixture, &routes[i]);
    }
    struct route_conflict conflicts[CONFLICTS];
    size_t conflict_count =
        route_table_builder_conflicts(fixture.builder, conflicts, route_count < 50 ? CONFLICTS : 0);
    fixture_build(&fixture);
    for (size_t i = 0; i < requests; i++) {
        struct plain_request plain = random_request();
        struct request_head request =
            fixture_request(&fixture, plain.post ? "POST" : "GET", plain.authority, plain.path);
        const struct plain_route *expected = plain_find(routes, route_count, &plain);
        const struct route *found = route_table_find(fixture.table, &request, fixture.scratch);
        if ((found == NULL) != (expected == NULL) ||
            (found != NULL && found->index != (uint32_t)(expected - routes)))
            fail_msg("%s%s: route %ld, not %ld", plain.authority, plain.path,
                     found != NULL ? (long)found->index : -1L,
                     expected != NULL ? (long)(expected - routes) : -1L);
        if (found != NULL)
            assert_is_reachable(conflicts, conflict_count, found->index);
    }
    fixture_done(&fixture);
}

static void small_tables_answer_as_the_plain_matcher_does(void **state)
{
    (void)state;
    static struct plain_route routes[20];
    random_state = 1;
    for (size_t count = 0; count <= 20; count++) {
        for (int i = 0; i < 30; i++)
            assert_same_answers(routes, count, 50);
    }
}

static void ten_thousand_routes_answer_as_the_plain_matcher_does(void **state)
{
    (void)state;
    static struct plain_route routes[MANY_ROUTES];
    random_state = 2;
    assert_same_answers(routes, MANY_ROUTES, MANY_REQUESTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_tables_answer_as_the_plain_matcher_does),
        cmocka_unit_test(ten_thousand_routes_answer_as_the_plain_matcher_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
