#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/routing/plan.h"
#include "tests/unit/routing/routing_fixture.h"

enum { MONOLITH = 10, USERS = 11, SEARCH = 12, NOW_MS = 1700000000 };

static const uint8_t random_bytes[IDENTITY_RANDOM_BYTES] = {1};
static const struct identity_source by_address[] = {{.kind = IDENTITY_ADDRESS}};

/* One module, "users", at /api/users and /u; 192.0.2.1 has bucket 243322 in it. */
struct planning {
    struct fixture fixture;
    struct module_table *modules;
    struct plan_rules rules;
};

static int set_up(void **state)
{
    static struct planning planning;
    struct fixture *fixture = &planning.fixture;
    fixture_init(fixture);
    fixture_add_to_module(fixture, 0,
                          (struct route_spec){.name = TEXT("api"),
                                              .prefix = TEXT("/api/users"),
                                              .rewrite_regex = TEXT("^/api"),
                                              .rewrite_path = TEXT("/v2")});
    fixture_add_to_module(fixture, 0,
                          (struct route_spec){.name = TEXT("vote"),
                                              .prefix = TEXT("/api/users/vote"),
                                              .treat_as_write = true});
    fixture_add_to_module(fixture, 0,
                          (struct route_spec){.name = TEXT("search"),
                                              .prefix = TEXT("/api/users/search"),
                                              .treat_as_read = true});
    fixture_add(fixture, (struct route_spec){.name = TEXT("internal"),
                                             .prefix = TEXT("/internal"),
                                             .deny_status = 404});
    fixture_add(fixture, (struct route_spec){.name = TEXT("old"),
                                             .prefix = TEXT("/old"),
                                             .rewrite_regex = TEXT("^/old/?"),
                                             .rewrite_path = TEXT("/")});
    fixture_build(fixture);
    planning.modules = module_table_new(1);
    planning.modules->modules[0] = (struct module){.name = STRVIEW("users"),
                                                   .cohort = STRVIEW("users"),
                                                   .stage = STAGE_RAMP,
                                                   .threshold = 250000,
                                                   .legacy_backend = MONOLITH,
                                                   .extracted_backend = USERS};
    planning.rules = (struct plan_rules){.routes = fixture->table,
                                         .modules = planning.modules,
                                         .identity = by_address,
                                         .identity_count = 1,
                                         .default_backend = MONOLITH};
    *state = &planning;
    return 0;
}

static int tear_down(void **state)
{
    struct planning *planning = *state;
    module_table_unref(planning->modules);
    fixture_done(&planning->fixture);
    return 0;
}

static struct plan plan(struct planning *planning, const char *method, const char *target)
{
    struct plan result;
    struct plan_facts facts = {.client = fixture_ip("192.0.2.1"), .random = random_bytes};
    struct request_head request = fixture_request(&planning->fixture, method, "a.org", target);
    plan_request(&planning->rules, &request, &facts, &planning->fixture.arena,
                 planning->fixture.scratch, &result);
    return result;
}

static void assert_reason(const struct plan *made, const char *text)
{
    char buffer[PLAN_REASON_BYTES];
    assert_int_equal(plan_reason_format(made, buffer), strlen(text));
    assert_string_equal(buffer, text);
}

static void a_read_in_a_ramp_goes_by_its_bucket(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "GET", "/api/users/1?x");
    assert_string_equal(made.route->name.data, "api");
    assert_ptr_equal(made.module, &planning->modules->modules[0]);
    assert_int_equal(made.side, SIDE_EXTRACTED);
    assert_int_equal(made.backend, USERS);
    assert_true(made.has_bucket);
    assert_reason(&made, "bucket 243322<250000");
    planning->modules->modules[0].threshold = 243322;
    made = plan(planning, "GET", "/api/users/1");
    assert_int_equal(made.backend, MONOLITH);
    assert_reason(&made, "bucket 243322>=243322");
}

static void the_extracted_side_alone_gets_the_rewritten_path(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "GET", "/api/users/1");
    assert_true(made.rewritten);
    assert_true(strview_equal(made.path, STRVIEW("/v2/users/1")));
    made = plan(planning, "POST", "/api/users/1");
    assert_false(made.rewritten);
    assert_true(strview_equal(made.path, STRVIEW("/api/users/1")));
}

static void a_write_goes_to_its_owner(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "POST", "/api/users");
    assert_true(made.is_write);
    assert_int_equal(made.backend, MONOLITH);
    assert_reason(&made, "write_owner legacy");
    planning->modules->modules[0].write_owner = WRITE_OWNER_FOLLOW;
    made = plan(planning, "DELETE", "/api/users/1");
    assert_int_equal(made.backend, USERS);
    assert_reason(&made, "write_owner follow");
}

static void routes_can_say_what_is_a_read(void **state)
{
    struct planning *planning = *state;
    assert_true(plan(planning, "GET", "/api/users/vote").is_write);
    assert_false(plan(planning, "POST", "/api/users/search").is_write);
    assert_false(plan(planning, "OPTIONS", "/api/users").is_write);
    assert_false(plan(planning, "CONNECT", "/api/users").is_write);
    assert_true(plan(planning, "PROPFIND", "/api/users").is_write);
    assert_true(plan(planning, "PUT", "/nowhere").is_write);
}

static void stages_are_named_as_reasons(void **state)
{
    struct planning *planning = *state;
    struct module *module = &planning->modules->modules[0];
    module->stage = STAGE_SHADOW;
    struct plan made = plan(planning, "GET", "/api/users");
    assert_int_equal(made.side, SIDE_LEGACY);
    assert_reason(&made, "stage shadow");
    module->aborted = true;
    made = plan(planning, "GET", "/api/users");
    assert_reason(&made, "abort");
    module->stage = STAGE_RETIRED;
    made = plan(planning, "POST", "/api/users");
    assert_int_equal(made.backend, USERS);
    assert_reason(&made, "retired");
}

static void nobody_is_identified_where_nothing_depends_on_it(void **state)
{
    struct planning *planning = *state;
    struct module *module = &planning->modules->modules[0];
    static const bool identified[STAGE_COUNT] = {false, true, true, true, false};
    for (int stage = STAGE_LEGACY; stage < STAGE_COUNT; stage++) {
        module->stage = (enum stage)stage;
        assert_int_equal(plan(planning, "GET", "/api/users").identity.value.length > 0,
                         identified[stage]);
    }
}

/* A GET of /api/users by 192.0.2.1 with one header field more. */
static struct plan plan_with(struct planning *planning, const char *method, const char *name,
                             const char *value)
{
    struct plan result;
    struct plan_facts facts = {
        .client = fixture_ip("192.0.2.1"), .random = random_bytes, .now_ms = NOW_MS};
    struct request_head request =
        fixture_request(&planning->fixture, method, "a.org", "/api/users");
    fixture_header(&planning->fixture, &request, name, value);
    plan_request(&planning->rules, &request, &facts, &planning->fixture.arena,
                 planning->fixture.scratch, &result);
    return result;
}

static void an_allowed_override_decides_and_others_are_told_apart(void **state)
{
    struct planning *planning = *state;
    struct cidr somewhere;
    assert_true(cidr_parse(STRVIEW("192.0.2.0/24"), &somewhere));
    struct plan made = plan_with(planning, "GET", "x-strangler-side", "legacy");
    assert_int_equal(made.override, OVERRIDE_NOT_ALLOWED);
    assert_int_equal(made.backend, USERS);
    planning->rules.override.clients = &somewhere;
    planning->rules.override.client_count = 1;
    made = plan_with(planning, "GET", "x-strangler-side", "legacy");
    assert_int_equal(made.override, OVERRIDE_GOOD);
    assert_int_equal(made.backend, MONOLITH);
    assert_false(made.rewritten);
    assert_reason(&made, "override");
    planning->modules->modules[0].write_owner = WRITE_OWNER_EXTRACTED;
    made = plan_with(planning, "POST", "x-strangler-side", "legacy");
    assert_int_equal(made.override, OVERRIDE_GOOD);
    assert_int_equal(made.backend, USERS);
    assert_reason(&made, "write_owner extracted");
}

static void a_pin_holds_reads_and_not_writes(void **state)
{
    struct planning *planning = *state;
    static const struct pin_keys keys = {.count = 1, .keys = {{9}}};
    const struct pin pin = {.side = SIDE_LEGACY, .expires_ms = NOW_MS + 3000};
    struct module *module = &planning->modules->modules[0];
    module->pin_ms = 3000;
    module->pin_cookie = STRVIEW("strangler_pin_users");
    planning->rules.pin_keys = &keys;
    char value[PIN_VALUE_BYTES];
    assert_true(pin_sign(&keys, module->pin_cookie, &pin, value));
    struct strview cookie =
        arena_printf(&planning->fixture.arena, "strangler_pin_users=%.*s", PIN_VALUE_BYTES, value);
    struct plan made = plan_with(planning, "GET", "cookie", cookie.data);
    assert_int_equal(made.pin, PIN_GOOD);
    assert_int_equal(made.pin_held.expires_ms, NOW_MS + 3000);
    assert_int_equal(made.backend, MONOLITH);
    assert_false(made.has_bucket);
    assert_reason(&made, "pin");
    made = plan_with(planning, "POST", "cookie", cookie.data);
    assert_int_equal(made.pin, PIN_ABSENT);
    assert_reason(&made, "write_owner legacy");
    made = plan_with(planning, "GET", "cookie", "strangler_pin_users=1l");
    assert_int_equal(made.pin, PIN_MALFORMED);
    assert_reason(&made, "bucket 243322<250000");
}

static void a_read_that_extracted_would_serve_may_fall_back_to_legacy(void **state)
{
    struct planning *planning = *state;
    struct module *module = &planning->modules->modules[0];
    struct request_head read = fixture_request(&planning->fixture, "GET", "a.org", "/api/users/1");
    struct plan made = plan(planning, "GET", "/api/users/1");
    assert_false(plan_may_fall_back(&made, &read));
    module->falls_back = true;
    made = plan(planning, "GET", "/api/users/1");
    assert_true(plan_may_fall_back(&made, &read));
    plan_fall_back(&made, &read);
    assert_int_equal(made.backend, MONOLITH);
    assert_int_equal(made.side, SIDE_LEGACY);
    assert_true(strview_equal(made.path, STRVIEW("/api/users/1")));
    assert_false(made.rewritten);
    assert_reason(&made, "fallback");
    assert_false(plan_may_fall_back(&made, &read)); /* once */
}

static void nothing_else_falls_back(void **state)
{
    struct planning *planning = *state;
    struct module *module = &planning->modules->modules[0];
    module->falls_back = true;
    struct request_head read = fixture_request(&planning->fixture, "GET", "a.org", "/api/users");
    struct plan made = plan(planning, "GET", "/api/users");
    assert_true(plan_may_fall_back(&made, &read));
    static const enum reason never[] = {REASON_OVERRIDE, REASON_PIN};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        struct plan held = made;
        held.reason = never[i];
        assert_false(plan_may_fall_back(&held, &read));
    }
    read.has_body = true;
    assert_false(plan_may_fall_back(&made, &read));
    read.has_body = false;
    module->threshold = 0;
    made = plan(planning, "GET", "/api/users");
    assert_false(plan_may_fall_back(&made, &read));
    module->write_owner = WRITE_OWNER_EXTRACTED;
    made = plan(planning, "POST", "/api/users");
    assert_false(plan_may_fall_back(&made, &read));
    module->stage = STAGE_RETIRED;
    made = plan(planning, "GET", "/api/users");
    assert_false(plan_may_fall_back(&made, &read));
    made = plan(planning, "GET", "/nowhere");
    assert_false(plan_may_fall_back(&made, &read));
}

static void what_no_route_takes_goes_to_default(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "GET", "/nowhere");
    assert_null(made.route);
    assert_null(made.module);
    assert_int_equal(made.side, SIDE_NONE);
    assert_int_equal(made.backend, MONOLITH);
    assert_int_equal(made.refuse_status, 0);
    assert_reason(&made, "default");
    made = plan(planning, "OPTIONS", "*");
    assert_int_equal(made.backend, MONOLITH);
    assert_reason(&made, "default");
    assert_true(strview_equal(made.path, STRVIEW("*")));
}

static void a_route_outside_modules_may_rewrite_and_defaults_to_default(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "GET", "/old/x");
    assert_int_equal(made.backend, MONOLITH);
    assert_int_equal(made.side, SIDE_NONE);
    assert_true(strview_equal(made.path, STRVIEW("/x")));
    assert_reason(&made, "route");
    made = plan(planning, "GET", "/old/;/x");
    assert_true(strview_equal(made.path, STRVIEW("/;/x")));
}

static void denied_paths_are_refused_in_every_spelling(void **state)
{
    struct planning *planning = *state;
    static const char *const targets[] = {"/internal", "//internal", "/Internal;x", "/%69nternal"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct plan made = plan(planning, "GET", targets[i]);
        assert_int_equal(made.refuse_status, 404);
        assert_string_equal(made.route->name.data, "internal");
        assert_reason(&made, "deny");
    }
}

static void invalid_paths_are_refused(void **state)
{
    struct planning *planning = *state;
    struct plan made = plan(planning, "GET", "/a b");
    assert_int_equal(made.refuse_status, 400);
    assert_reason(&made, "rejected");
    planning->rules.ambiguous_paths = AMBIGUOUS_PATHS_LEGACY;
    assert_int_equal(plan(planning, "GET", "/%").refuse_status, 400);
}

static void ambiguous_paths_are_refused_or_left_to_default_behind_the_guard(void **state)
{
    struct planning *planning = *state;
    assert_int_equal(plan(planning, "GET", "/api/users%2f1").refuse_status, 400);
    planning->rules.ambiguous_paths = AMBIGUOUS_PATHS_LEGACY;
    struct plan made = plan(planning, "GET", "/api/users%2f1/%61");
    assert_int_equal(made.refuse_status, 0);
    assert_int_equal(made.backend, MONOLITH);
    assert_null(made.module);
    assert_true(strview_equal(made.path, STRVIEW("/api/users%2f1/%61")));
    assert_reason(&made, "ambiguous");
    made = plan(planning, "GET", "/internal%2f1");
    assert_int_equal(made.refuse_status, 404);
    assert_reason(&made, "deny");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_read_in_a_ramp_goes_by_its_bucket),
        TEST(the_extracted_side_alone_gets_the_rewritten_path),
        TEST(a_write_goes_to_its_owner),
        TEST(routes_can_say_what_is_a_read),
        TEST(stages_are_named_as_reasons),
        TEST(nobody_is_identified_where_nothing_depends_on_it),
        TEST(an_allowed_override_decides_and_others_are_told_apart),
        TEST(a_pin_holds_reads_and_not_writes),
        TEST(a_read_that_extracted_would_serve_may_fall_back_to_legacy),
        TEST(nothing_else_falls_back),
        TEST(what_no_route_takes_goes_to_default),
        TEST(a_route_outside_modules_may_rewrite_and_defaults_to_default),
        TEST(denied_paths_are_refused_in_every_spelling),
        TEST(invalid_paths_are_refused),
        TEST(ambiguous_paths_are_refused_or_left_to_default_behind_the_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
