/* What a configuration compiles to. */
#include "tests/unit/config/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void values_that_are_not_set_have_the_documented_defaults(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "%s", config_head);
    const struct snapshot *snapshot = loaded.snapshot;
    assert_non_null(snapshot);
    const struct limits *limits = &snapshot->limits;
    assert_int_equal(limits->header_bytes, 64 * 1024);
    assert_int_equal(limits->header_fields, 128);
    assert_int_equal(limits->body_bytes, 0);
    assert_int_equal(limits->streams, 128);
    assert_int_equal(limits->connections, 10000);
    assert_int_equal(limits->header_timeout_ms, 10000);
    assert_int_equal(limits->body_timeout_ms, 30000);
    assert_int_equal(limits->write_timeout_ms, 30000);
    assert_int_equal(limits->idle_timeout_ms, 75000);
    assert_int_equal(limits->drain_timeout_ms, 600000);
    const struct timeouts *timeouts = &snapshot->backends[0].timeouts;
    assert_int_equal(timeouts->connect_ms, 1000);
    assert_int_equal(timeouts->first_byte_ms, 60000);
    assert_int_equal(timeouts->idle_ms, 60000);
    assert_int_equal(timeouts->total_ms, 0);
    assert_int_equal(timeouts->keep_alive_ms, 2000);
    assert_int_equal(snapshot->backends[0].protocol, BACKEND_HTTP1);
    assert_int_equal(snapshot->backends[1].protocol, BACKEND_H2);
    assert_int_equal(snapshot->forward, FORWARD_ALL);
    assert_int_equal(snapshot->workers, 0);
    assert_int_equal(snapshot->generation, 7);
    assert_int_equal(snapshot->admin_address.length, 0);
    assert_true(strview_equal(snapshot->state_dir, STRVIEW("state")));
    assert_true(snapshot->access_log.enabled && !snapshot->access_log.combined);
    assert_true(strview_equal(snapshot->access_log.path, STRVIEW("-")));
    assert_int_equal(snapshot->rules.ambiguous_paths, AMBIGUOUS_PATHS_REFUSE);
    loaded_done(&loaded);
}

static void a_module_keeps_what_the_file_says(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "%smodules: { u: { legacy = \"monolith\"; extracted = \"users\"; "
                     "stage = \"ramp\"; percent = 12.3456; cohort = \"people\"; "
                     "write_owner = \"extracted\"; routes: { a: { prefix = \"/u\"; }; }; }; };\n",
                     config_head);
    assert_non_null(loaded.snapshot);
    const struct module *module = module_table_find(loaded.snapshot->modules, STRVIEW("u"));
    assert_non_null(module);
    assert_int_equal(module->stage, STAGE_RAMP);
    assert_int_equal(module->threshold, 123456);
    assert_true(strview_equal(module->cohort, STRVIEW("people")));
    assert_int_equal(module->write_owner, WRITE_OWNER_EXTRACTED);
    assert_int_equal(module->legacy_backend, 0);
    assert_int_equal(module->extracted_backend, 1);
    assert_true(strview_equal(loaded.snapshot->route_infos[0].name, STRVIEW("a")));
    assert_true(strview_equal(loaded.snapshot->route_infos[0].module, STRVIEW("u")));
    loaded_done(&loaded);
}

static uint32_t threshold_of(const char *percent)
{
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "%smodules: { u: { legacy = \"monolith\"; extracted = \"users\"; "
                     "stage = \"ramp\"; percent = %s; routes: { a: { prefix = \"/u\"; }; }; }; };",
                     config_head, percent);
    assert_non_null(loaded.snapshot);
    uint32_t threshold = loaded.snapshot->modules->modules[0].threshold;
    loaded_done(&loaded);
    return threshold;
}

static void a_percent_is_an_integer_a_float_or_a_text(void **state)
{
    (void)state;
    assert_int_equal(threshold_of("25"), 250000);
    assert_int_equal(threshold_of("25L"), 250000);
    assert_int_equal(threshold_of("25.0"), 250000);
    assert_int_equal(threshold_of("\"25%\""), 250000);
    assert_int_equal(threshold_of("0.0001"), 1);
    assert_int_equal(threshold_of("\"0.0001%\""), 1);
    assert_int_equal(threshold_of("99.9999"), 999999);
    assert_int_equal(threshold_of("33.3333"), 333333);
    assert_int_equal(threshold_of("100"), 1000000);
    assert_int_equal(threshold_of("0"), 0);
}

static void a_route_has_timeouts_only_when_it_sets_some(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "%sroutes: { a: { prefix = \"/a\"; backend = \"users\"; };\n"
                     "b: { prefix = \"/b\"; backend = \"users\"; timeouts: { total = \"3s\"; "
                     "idle = 0; }; }; };",
                     config_head);
    assert_non_null(loaded.snapshot);
    struct match_scratch *scratch = match_scratch_new();
    struct request_head request = {.method = METHOD_GET, .authority = STRVIEW("h")};
    request.path = STRVIEW("/a");
    assert_null(route_table_find(loaded.snapshot->routes, &request, scratch)->timeouts);
    request.path = STRVIEW("/b");
    const struct route *route = route_table_find(loaded.snapshot->routes, &request, scratch);
    const struct timeouts *timeouts = route->timeouts;
    assert_int_equal(timeouts->total_ms, 3000);
    assert_int_equal(timeouts->idle_ms, 0);
    assert_int_equal(timeouts->connect_ms, TIMEOUT_UNSET);
    assert_int_equal(timeouts->keep_alive_ms, TIMEOUT_UNSET);
    assert_int_equal(route->index, 1);
    match_scratch_free(scratch);
    loaded_done(&loaded);
}

static void the_snapshot_outlives_the_settings(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded,
                     "%sroutes: { a: { prefix = \"/a\"; headers = [ \"X-A=1\" ]; backend = "
                     "\"users\"; }; };",
                     config_head);
    settings_free(loaded.settings);
    loaded.settings = NULL;
    const struct snapshot *snapshot = loaded.snapshot;
    assert_true(strview_equal(snapshot->backends[1].name, STRVIEW("users")));
    assert_true(strview_equal(snapshot->listeners[0].name, STRVIEW("plain")));
    assert_true(strview_equal(snapshot->rules.identity[0].name, STRVIEW_NONE));
    assert_int_equal(snapshot->rules.identity_count, 2);
    assert_true(strview_equal(snapshot->route_infos[0].name, STRVIEW("a")));
    loaded_done(&loaded);
}

static void endpoints_keep_their_state_across_reloads(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "%s", config_head);
    struct snapshot *second = snapshot_build(loaded.settings, loaded.registry, 8, &loaded.report);
    assert_ptr_equal(backend_endpoints(&second->backends[0])->slots[0].state,
                     backend_endpoints(&loaded.snapshot->backends[0])->slots[0].state);
    assert_int_equal(endpoint_registry_count(loaded.registry), 2);
    assert_int_equal(second->generation, 8);
    snapshot_unref(second);
    loaded_done(&loaded);
}

static void a_reference_keeps_the_snapshot(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "%s", config_head);
    struct snapshot *again = snapshot_ref(loaded.snapshot);
    snapshot_unref(loaded.snapshot);
    assert_true(strview_equal(again->backends[0].name, STRVIEW("monolith")));
    loaded_done(&loaded);
}

static void certificates_are_not_read_offline(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "listeners: { t: { address = \"127.0.0.1:1\"; certificates = ( { "
                              "certificate = \"no.pem\"; key = \"no.key\"; } ); }; };\n"
                              "backends: { m: { endpoints = [ \"127.0.0.1:2\" ]; }; };\n"
                              "default = \"m\";\n");
    assert_null(loaded.snapshot);
    config_report_done(&loaded.report);
    config_report_init(&loaded.report);
    loaded.snapshot = snapshot_build_offline(loaded.settings, loaded.registry, &loaded.report);
    assert_non_null(loaded.snapshot);
    assert_null(loaded.snapshot->listeners[0].tls);
    loaded_done(&loaded);
}

static void a_route_knows_its_place_in_the_files(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_from_text(&loaded, "%sroutes: {\n  a: { prefix = \"/a\"; backend = \"users\"; };\n};",
                     config_head);
    const struct route_place *place = &loaded.snapshot->route_places[0];
    assert_true(strview_equal(place->file, STRVIEW("test.cfg")));
    assert_int_equal(place->line, 9);
    assert_true(strview_equal(place->backend, STRVIEW("users")));
    loaded_done(&loaded);
}

static void a_route_says_in_words_what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *keys;
        const char *takes;
    } rows[] = {
        {"exact = \"/a\";", "/a"},
        {"prefix = \"/a\"; ignore_case = true;", "/a/… (any case)"},
        {"prefix = \"/\";", "/…"},
        {"prefix = \"/u\"; regex = \"^/u/[0-9]+$\"; methods = [ \"GET\", \"HEAD\" ];",
         "/u/… ~^/u/[0-9]+$ GET HEAD"},
        {"host = \"*.example.org\"; regex = \"x\"; headers = [ \"a=b\" ]; cookies = [ \"c\" ];",
         "*.example.org ~x +2 conditions"},
        {"exact = \"/a\"; query = [ \"q\" ];", "/a +1 condition"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded loaded;
        loaded_from_text(&loaded, "%sroutes: { r: { backend = \"users\"; %s }; };", config_head,
                         rows[i].keys);
        assert_non_null(loaded.snapshot);
        assert_string_equal(loaded.snapshot->route_places[0].takes.data, rows[i].takes);
        loaded_done(&loaded);
    }
}

/* CPU time, so that a busy machine does not matter; a quadratic load would take many seconds. */
static void ten_thousand_routes_load_quickly(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%sroutes: {\n", config_head);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "  route_%d: { prefix = \"/api/%d\"; backend = \"users\"; };\n", i, i);
    fputs("};\n", out);
    fclose(out);
    struct loaded loaded;
    clock_t began = clock();
    loaded_from_text(&loaded, "%s", text);
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    assert_non_null(loaded.snapshot);
    assert_int_equal(loaded.snapshot->route_count, 10000);
    assert_true(seconds < 2.0);
    free(text);
    loaded_done(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_are_not_set_have_the_documented_defaults),
        cmocka_unit_test(a_module_keeps_what_the_file_says),
        cmocka_unit_test(a_percent_is_an_integer_a_float_or_a_text),
        cmocka_unit_test(a_route_has_timeouts_only_when_it_sets_some),
        cmocka_unit_test(the_snapshot_outlives_the_settings),
        cmocka_unit_test(endpoints_keep_their_state_across_reloads),
        cmocka_unit_test(a_reference_keeps_the_snapshot),
        cmocka_unit_test(certificates_are_not_read_offline),
        cmocka_unit_test(a_route_knows_its_place_in_the_files),
        cmocka_unit_test(a_route_says_in_words_what_it_takes),
        cmocka_unit_test(ten_thousand_routes_load_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
