/* A request with fields, what is forwarded of it, and the result as text. Single-threaded. */
#ifndef TESTS_UNIT_FORWARDING_FIXTURE_H
#define TESTS_UNIT_FORWARDING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proxy/http/forwarding.h"

enum { FORWARDED_TEXT_BYTES = 8192 };

struct forwarded {
    struct arena arena;
    struct request_head request;
    struct forwarding_facts facts;
    uint8_t random[FORWARDING_RANDOM_BYTES];
    struct headers headers;
    struct forwarding_result result;
    char text[FORWARDED_TEXT_BYTES];
};

/* For cmocka: *state is a struct forwarded with a GET of http://example.org/ from 192.0.2.7,
 * untrusted, that forwards no field of ours. */
int forwarded_set_up(void **state);
int forwarded_tear_down(void **state);

/* Adds a field of the request; the name is lower case. */
void forwarded_add(struct forwarded *f, const char *name, const char *value);

/* Forwards the request: "name: value\n" for each field that is sent on. */
const char *forwarded_run(struct forwarded *f);

/* Fields as "name: value\n" each, in the fixture's text. */
const char *forwarded_text(struct forwarded *f, const struct headers *headers);

#define FORWARDED_TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, forwarded_set_up, forwarded_tear_down)

#endif
