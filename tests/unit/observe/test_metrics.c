#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proxy/observe/metrics.h"

static const struct strview reasons[] = {{"bucket", 6}, {"pin", 3}, {"abort", 5}};
static const struct strview faults[] = {{"connect", 7}, {"reset", 5}};
static const struct metric_names names = {reasons, 3, faults, 2, faults, 2, reasons, 3, faults, 2};

static int set_up(void **state)
{
    *state = metrics_registry_new(&names);
    return 0;
}

static int tear_down(void **state)
{
    metrics_registry_free(*state);
    return 0;
}

static void a_block_is_the_same_each_time_it_is_asked(void **state)
{
    struct metrics_registry *registry = *state;
    enum { BLOCKS = 500 };
    uint32_t first[BLOCKS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            char labels[40]; /* new bytes each time: the registry keeps its own */
            int length = snprintf(labels, sizeof(labels), "module=\"m%d\"", i / 4);
            struct strview view = strview_make(labels, (size_t)length);
            uint32_t block = metrics_registry_block(registry, (enum metric_family)(i % 4), view);
            if (round == 0)
                first[i] = block;
            assert_int_equal(block, first[i]);
        }
        assert_int_equal(metrics_registry_count(registry), BLOCKS);
    }
}

static void no_block_overlaps_another(void **state)
{
    struct metrics_registry *registry = *state;
    for (int i = 0; i < 300; i++) {
        char labels[40];
        int length = snprintf(labels, sizeof(labels), "n=\"%d\"", i);
        metrics_registry_block(registry, (enum metric_family)(i % METRIC_FAMILY_COUNT),
                               strview_make(labels, (size_t)length));
    }
    uint32_t next = 0;
    for (uint32_t i = 0; i < metrics_registry_count(registry); i++) {
        const struct metrics_block *block = metrics_registry_at(registry, i);
        uint32_t size = metrics_block_size(&names, block->family);
        assert_true(size > 0);
        assert_true(block->first >= next);
        next = block->first + size;
    }
}

static void the_same_labels_in_another_family_are_another_block(void **state)
{
    struct metrics_registry *registry = *state;
    struct strview labels = STRVIEW("backend=\"users\"");
    uint32_t errors = metrics_registry_block(registry, METRIC_BACKEND_ERRORS, labels);
    uint32_t duration = metrics_registry_block(registry, METRIC_BACKEND_DURATION, labels);
    assert_int_not_equal(errors, duration);
    assert_true(strview_equal(metrics_registry_at(registry, 1)->labels, labels));
    assert_int_equal(metrics_registry_at(registry, 1)->family, METRIC_BACKEND_DURATION);
}

static void every_block_has_room_for_its_labels(void **state)
{
    (void)state;
    assert_int_equal(metrics_block_size(&names, METRIC_REQUESTS), METHOD_COUNT * METRICS_CODES);
    assert_int_equal(metrics_block_size(&names, METRIC_DECISIONS), 3);
    assert_int_equal(metrics_block_size(&names, METRIC_BACKEND_ERRORS), 2);
    assert_int_equal(metrics_block_size(&names, METRIC_REQUEST_DURATION), METRICS_BUCKETS + 1);
    assert_int_equal(metrics_block_size(&names, METRIC_CLIENT_FAULTS), 2);
}

static struct strview code_name_of(int status, char buffer[static 4])
{
    return metrics_code_name(metrics_request_offset(METHOD_GET, status), buffer);
}

static void every_status_has_its_code_or_its_class(void **state)
{
    (void)state;
    int registered = 0;
    for (int status = 100; status < 600; status++) {
        char buffer[4];
        char own[12];
        snprintf(own, sizeof(own), "%d", status);
        struct strview name = code_name_of(status, buffer);
        assert_int_equal(name.length, 3);
        if (strview_equal(name, strview_of(own))) {
            registered++;
            continue;
        }
        char class[4] = {own[0], 'x', 'x', '\0'};
        assert_string_equal(buffer, class);
    }
    assert_int_equal(registered, METRICS_CODES - 5);
}

static void the_codes_that_matter_are_counted_by_themselves(void **state)
{
    (void)state;
    static const int codes[] = {100, 101, 103, 200, 201, 204, 206, 301, 302, 303, 304, 307,
                                308, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 414,
                                416, 421, 422, 429, 431, 499, 500, 501, 502, 503, 504};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char buffer[4];
        char own[12];
        snprintf(own, sizeof(own), "%d", codes[i]);
        code_name_of(codes[i], buffer);
        assert_string_equal(buffer, own);
    }
}

static void a_status_outside_the_classes_counts_as_a_servers_fault(void **state)
{
    (void)state;
    static const int odd[] = {-1, 0, 1, 99, 600, 999, 1000, 65536};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char buffer[4];
        code_name_of(odd[i], buffer);
        assert_string_equal(buffer, "5xx");
    }
}

static void each_method_and_code_has_an_offset_of_its_own(void **state)
{
    (void)state;
    static bool seen[METHOD_COUNT * METRICS_CODES];
    for (int method = 0; method < METHOD_COUNT; method++) {
        bool of_method[METRICS_CODES] = {false};
        for (int status = 100; status < 600; status++) {
            uint32_t offset = metrics_request_offset((enum http_method)method, status);
            assert_true(offset < METHOD_COUNT * METRICS_CODES);
            assert_true(!seen[offset] || of_method[offset % METRICS_CODES]);
            seen[offset] = true;
            of_method[offset % METRICS_CODES] = true;
        }
    }
}

static void an_observation_falls_into_the_first_bucket_that_holds_it(void **state)
{
    (void)state;
    for (uint32_t bucket = 0; bucket < METRICS_BUCKETS - 1; bucket++) {
        struct metrics_shard *shard = metrics_shard_new();
        uint64_t bound = metrics_bucket_us(bucket);
        assert_true(bucket == 0 || bound > metrics_bucket_us(bucket - 1));
        metrics_observe(shard, 100, bound);
        metrics_observe(shard, 100, bound + 1);
        assert_int_equal(metrics_read(shard, 100 + bucket), 1);
        assert_int_equal(metrics_read(shard, 100 + bucket + 1), 1);
        assert_int_equal(metrics_read(shard, 100 + METRICS_BUCKETS), 2 * bound + 1);
        metrics_shard_free(shard);
    }
}

static void the_shortest_and_the_longest_observation_are_counted(void **state)
{
    (void)state;
    struct metrics_shard *shard = metrics_shard_new();
    metrics_observe(shard, 0, 0);
    metrics_observe(shard, 0, UINT64_MAX / 2);
    assert_int_equal(metrics_read(shard, 0), 1);
    assert_int_equal(metrics_read(shard, METRICS_BUCKETS - 1), 1);
    metrics_shard_free(shard);
}

static void counters_far_apart_do_not_disturb_each_other(void **state)
{
    (void)state;
    static const uint32_t ids[] = {0,
                                   1,
                                   METRICS_CHUNK - 1,
                                   METRICS_CHUNK,
                                   METRICS_CHUNK * METRICS_PAGE - 1,
                                   METRICS_CHUNK * METRICS_PAGE,
                                   (uint32_t)METRICS_CHUNK * METRICS_PAGE * METRICS_PAGES - 1};
    enum { COUNT = sizeof(ids) / sizeof(ids[0]) };
    struct metrics_shard *shard = metrics_shard_new();
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(metrics_read(shard, ids[i]), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        metrics_add(shard, ids[i], i + 1);
        metrics_add(shard, ids[i], 10);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(metrics_read(shard, ids[i]), i + 11);
    assert_int_equal(metrics_read(shard, 2), 0);
    metrics_shard_free(shard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_block_is_the_same_each_time_it_is_asked),
        TEST(no_block_overlaps_another),
        TEST(the_same_labels_in_another_family_are_another_block),
        cmocka_unit_test(every_block_has_room_for_its_labels),
        cmocka_unit_test(every_status_has_its_code_or_its_class),
        cmocka_unit_test(the_codes_that_matter_are_counted_by_themselves),
        cmocka_unit_test(a_status_outside_the_classes_counts_as_a_servers_fault),
        cmocka_unit_test(each_method_and_code_has_an_offset_of_its_own),
        cmocka_unit_test(an_observation_falls_into_the_first_bucket_that_holds_it),
        cmocka_unit_test(the_shortest_and_the_longest_observation_are_counted),
        cmocka_unit_test(counters_far_apart_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
