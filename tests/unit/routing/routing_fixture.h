/* Builds route tables and requests for the tests of routing; everything lives until fixture_done.
 */
#ifndef TESTS_UNIT_ROUTING_FIXTURE_H
#define TESTS_UNIT_ROUTING_FIXTURE_H

#include "proxy/routing/route_table.h"

struct fixture {
    struct arena arena;
    struct route_table_builder *builder;
    struct route_table *table;
    struct match_scratch *scratch;
    uint32_t count;
};

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* Adds a route outside modules; order and index are its place. The test fails when it is refused.
 */
void fixture_add(struct fixture *fixture, struct route_spec spec);

/* The same in a module. */
void fixture_add_to_module(struct fixture *fixture, int64_t module, struct route_spec spec);

void fixture_build(struct fixture *fixture);

/* A request as a session makes it: the path canonical, the authority as given. */
struct request_head fixture_request(struct fixture *fixture, const char *method,
                                    const char *authority, const char *target);
void fixture_header(struct fixture *fixture, struct request_head *request, const char *name,
                    const char *value);

/* The name of the route that takes the request, "-" for none. */
const char *fixture_find(struct fixture *fixture, const struct request_head *request);

/* The same for a GET without header fields. */
const char *fixture_get(struct fixture *fixture, const char *authority, const char *target);

struct ip_address fixture_ip(const char *text);

/* A test that finds a fresh fixture in *state. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

#endif
