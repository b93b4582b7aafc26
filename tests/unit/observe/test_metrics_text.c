#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/observe/metrics_text.h"

static const struct strview reasons[] = {{"bucket", 6}, {"pin", 3}};
static const struct strview faults[] = {{"connect", 7}, {"reset", 5}};
static const struct metric_names names = {reasons, 2, faults, 2, faults, 2, reasons, 2, faults, 2};

enum { SHARDS = 2 };

struct fixture {
    struct metrics_registry *registry;
    struct metrics_shard *shards[SHARDS];
    char *text;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.registry = metrics_registry_new(&names);
    for (int i = 0; i < SHARDS; i++)
        fixture.shards[i] = metrics_shard_new();
    fixture.text = NULL;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    metrics_registry_free(f->registry);
    for (int i = 0; i < SHARDS; i++)
        metrics_shard_free(f->shards[i]);
    free(f->text);
    return 0;
}

static const char *write_text(struct fixture *f)
{
    size_t size = 0;
    free(f->text);
    f->text = NULL;
    FILE *out = open_memstream(&f->text, &size);
    metrics_text_write(f->registry, f->shards, SHARDS, out);
    fclose(out);
    return f->text;
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
    }
    return false;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* name="value",… without escapes; the rest behind it, NULL when it is something else. */
static const char *skip_labels(const char *at)
{
    while (*at != '}') {
        const char *begin = at;
        while (is_name(*at))
            at++;
        if (at == begin || at[0] != '=' || at[1] != '"')
            return NULL;
        at = strchr(at + 2, '"');
        if (at == NULL)
            return NULL;
        at++;
        if (*at == ',')
            at++;
        else if (*at != '}')
            return NULL;
    }
    return at + 1;
}

/* Every line is a comment of the format or `name{labels} number`, below its family's head. */
static void assert_parses(const char *text)
{
    char family[128] = "";
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        assert_non_null(strchr(at, '\n'));
        if (strncmp(at, "# TYPE ", 7) == 0) {
            assert_int_equal(sscanf(at, "# TYPE %127s ", family), 1);
            continue;
        }
        if (strncmp(at, "# HELP ", 7) == 0)
            continue;
        assert_int_equal(strncmp(at, family, strlen(family)), 0);
        const char *rest = at;
        while (is_name(*rest))
            rest++;
        assert_true(rest > at);
        if (*rest == '{')
            rest = skip_labels(rest + 1);
        assert_non_null(rest);
        assert_int_equal(*rest, ' ');
        char *end = NULL;
        assert_true(strtod(rest + 1, &end) >= 0);
        assert_int_equal(*end, '\n');
    }
}

static void requests_are_summed_over_workers_by_method_and_code(void **state)
{
    struct fixture *f = *state;
    uint32_t block = metrics_registry_block(f->registry, METRIC_REQUESTS,
                                            STRVIEW("module=\"users\",side=\"legacy\""));
    metrics_add(f->shards[0], block + metrics_request_offset(METHOD_GET, 200), 2);
    metrics_add(f->shards[1], block + metrics_request_offset(METHOD_GET, 200), 40);
    metrics_add(f->shards[1], block + metrics_request_offset(METHOD_OTHER, 299), 1);
    const char *text = write_text(f);
    assert_parses(text);
    assert_true(has_line(text, "strangler_http_requests_total{module=\"users\",side=\"legacy\","
                               "method=\"GET\",code=\"200\"} 42"));
    assert_true(has_line(text, "strangler_http_requests_total{module=\"users\",side=\"legacy\","
                               "method=\"_OTHER\",code=\"2xx\"} 1"));
    assert_null(strstr(text, "POST"));
}

static void reasons_and_faults_have_their_names(void **state)
{
    struct fixture *f = *state;
    uint32_t decisions =
        metrics_registry_block(f->registry, METRIC_DECISIONS, STRVIEW("module=\"users\""));
    uint32_t errors =
        metrics_registry_block(f->registry, METRIC_BACKEND_ERRORS, STRVIEW("backend=\"users\""));
    metrics_add(f->shards[0], decisions + 1, 3);
    metrics_add(f->shards[1], errors + 0, 4);
    const char *text = write_text(f);
    assert_parses(text);
    assert_true(has_line(text, "strangler_decisions_total{module=\"users\",reason=\"pin\"} 3"));
    assert_true(
        has_line(text, "strangler_backend_errors_total{backend=\"users\",fault=\"connect\"} 4"));
    assert_null(strstr(text, "bucket\"}"));
}

static void histogram_buckets_add_up_to_the_count(void **state)
{
    struct fixture *f = *state;
    uint32_t block = metrics_registry_block(f->registry, METRIC_BACKEND_DURATION,
                                            STRVIEW("backend=\"b\",phase=\"total\""));
    metrics_observe(f->shards[0], block, 200);
    metrics_observe(f->shards[1], block, 1000);
    metrics_observe(f->shards[1], block, 60000000);
    const char *text = write_text(f);
    assert_parses(text);
    static const char *const lines[] = {
        "_bucket{backend=\"b\",phase=\"total\",le=\"0.00025\"} 1",
        "_bucket{backend=\"b\",phase=\"total\",le=\"0.0005\"} 1",
        "_bucket{backend=\"b\",phase=\"total\",le=\"0.001\"} 2",
        "_bucket{backend=\"b\",phase=\"total\",le=\"10\"} 2",
        "_bucket{backend=\"b\",phase=\"total\",le=\"+Inf\"} 3",
        "_sum{backend=\"b\",phase=\"total\"} 60.001200",
        "_count{backend=\"b\",phase=\"total\"} 3",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char line[128];
        snprintf(line, sizeof(line), "strangler_backend_duration_seconds%s", lines[i]);
        assert_true(has_line(text, line));
    }
}

static void nothing_is_said_about_what_was_not_counted(void **state)
{
    struct fixture *f = *state;
    metrics_registry_block(f->registry, METRIC_REQUESTS, STRVIEW("module=\"users\""));
    metrics_registry_block(f->registry, METRIC_REQUEST_DURATION, STRVIEW("module=\"users\""));
    const char *text = write_text(f);
    assert_parses(text);
    assert_null(strstr(text, "users"));
    assert_true(has_line(text, "# TYPE strangler_http_requests_total counter"));
    assert_true(has_line(text, "# TYPE strangler_http_request_duration_seconds histogram"));
}

static void gauges_have_labels_only_when_there_are_some(void **state)
{
    struct fixture *f = *state;
    size_t size = 0;
    FILE *out = open_memstream(&f->text, &size);
    metrics_text_gauge(out, "strangler_a", "About a.", "", 3);
    metrics_text_gauge(out, "strangler_b", "About b.", "protocol=\"h2\"", 0.5);
    metrics_text_gauge(out, "strangler_c", "About c.", NULL, 1e15);
    fclose(out);
    assert_string_equal(f->text, "# HELP strangler_a About a.\n# TYPE strangler_a gauge\n"
                                 "strangler_a 3\n"
                                 "# HELP strangler_b About b.\n# TYPE strangler_b gauge\n"
                                 "strangler_b{protocol=\"h2\"} 0.5\n"
                                 "# HELP strangler_c About c.\n# TYPE strangler_c gauge\n"
                                 "strangler_c 1000000000000000\n");
}

static void the_process_says_what_it_uses(void **state)
{
    struct fixture *f = *state;
    size_t size = 0;
    FILE *out = open_memstream(&f->text, &size);
    metrics_text_process(out);
    fclose(out);
    assert_parses(f->text);
    double value = 0;
    const char *line = strstr(f->text, "\nprocess_open_fds ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "\nprocess_open_fds %lf", &value), 1);
    assert_true(value >= 1 && value < 1000);
    line = strstr(f->text, "\nprocess_resident_memory_bytes ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "\nprocess_resident_memory_bytes %lf", &value), 1);
    assert_true(value > 100000);
    assert_non_null(strstr(f->text, "\nprocess_cpu_seconds_total "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_summed_over_workers_by_method_and_code),
        TEST(reasons_and_faults_have_their_names),
        TEST(histogram_buckets_add_up_to_the_count),
        TEST(nothing_is_said_about_what_was_not_counted),
        TEST(gauges_have_labels_only_when_there_are_some),
        TEST(the_process_says_what_it_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
