#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/observe/access_log_format.h"

static const struct access_log_entry ordinary = {
    .unix_ms = 1700000000007,
    .request_id = {"018bcfe5-6807-7000-8000-000000000000", 36},
    .trace_id = {"0af7651916cd43dd8448eb211c80319c", 32},
    .client = {"192.0.2.7", 9},
    .protocol = {"h2", 2},
    .method = {"GET", 3},
    .authority = {"example.org", 11},
    .path = {"/api/users", 10},
    .query = STRVIEW_NONE,
    .status = 200,
    .bytes_received = 1,
    .bytes_sent = 1234567890123,
    .duration_us = 12000034,
    .first_byte_us = 5,
    .route = {"api", 3},
    .module = {"users", 5},
    .stage = {"ramp", 4},
    .side = {"extracted", 9},
    .reason = {"bucket 1873<250000", 18},
    .endpoint = {"127.0.0.1:3001", 14},
    .attempts = 2,
    .generation = 7,
};

/* One for all lines, as a worker has it. */
static struct access_log_second second;

/* The line as JSON; the caller gives it back. Fails when it is none, or no line. */
static json_t *parsed_line(const struct access_log_entry *entry)
{
    char line[ACCESS_LOG_LINE_BYTES];
    size_t length = access_log_format_line(&second, ACCESS_LOG_JSON, entry, line);
    assert_in_range(length, 2, ACCESS_LOG_LINE_BYTES);
    assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
    for (size_t i = 0; i < length - 1; i++)
        assert_true(line[i] >= 0x20 && line[i] < 0x7f);
    json_error_t error;
    json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        print_error("%s: %.*s\n", error.text, (int)length, line);
    assert_non_null(json);
    return json;
}

static void assert_text(const json_t *json, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void a_line_says_all_there_is_to_say(void **state)
{
    (void)state;
    json_t *json = parsed_line(&ordinary);
    static const char *const texts[][2] = {
        {"ts", "2023-11-14T22:13:20.007Z"},
        {"request_id", "018bcfe5-6807-7000-8000-000000000000"},
        {"trace_id", "0af7651916cd43dd8448eb211c80319c"},
        {"client", "192.0.2.7"},
        {"protocol", "h2"},
        {"method", "GET"},
        {"authority", "example.org"},
        {"path", "/api/users"},
        {"route", "api"},
        {"module", "users"},
        {"stage", "ramp"},
        {"side", "extracted"},
        {"reason", "bucket 1873<250000"},
        {"endpoint", "127.0.0.1:3001"},
    };
    static const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"status", 200},           {"bytes_received", 1}, {"bytes_sent", 1234567890123},
        {"duration_s", 12.000034}, {"ttfb_s", 0.000005},  {"attempts", 2},
        {"generation", 7},
    };
    size_t text_count = sizeof(texts) / sizeof(texts[0]);
    size_t number_count = sizeof(numbers) / sizeof(numbers[0]);
    for (size_t i = 0; i < text_count; i++)
        assert_text(json, texts[i][0], texts[i][1]);
    for (size_t i = 0; i < number_count; i++) {
        const json_t *number = json_object_get(json, numbers[i].name);
        assert_true(json_is_number(number));
        assert_true(json_number_value(number) == numbers[i].value);
    }
    assert_true(json_is_false(json_object_get(json, "shadow")));
    assert_int_equal(json_object_size(json), text_count + number_count + 1);
    json_decref(json);
}

static void an_entry_of_nothing_is_a_line_all_the_same(void **state)
{
    (void)state;
    struct access_log_entry entry = {.status = 0};
    json_t *json = parsed_line(&entry);
    assert_text(json, "ts", "1970-01-01T00:00:00.000Z");
    assert_text(json, "path", "");
    json_decref(json);
}

/* The texts of an entry, by number. */
static struct strview *text_at(struct access_log_entry *entry, size_t index)
{
    struct strview *texts[] = {
        &entry->request_id, &entry->trace_id, &entry->client, &entry->protocol, &entry->method,
        &entry->authority,  &entry->path,     &entry->query,  &entry->route,    &entry->module,
        &entry->stage,      &entry->side,     &entry->reason, &entry->endpoint,
    };
    return index < sizeof(texts) / sizeof(texts[0]) ? texts[index] : NULL;
}

static void any_byte_in_any_text_leaves_valid_json(void **state)
{
    (void)state;
    for (size_t i = 0; text_at(&(struct access_log_entry){0}, i) != NULL; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[3] = {'a', (char)byte, 'z'};
            struct access_log_entry entry = ordinary;
            *text_at(&entry, i) = strview_make(text, sizeof(text));
            json_decref(parsed_line(&entry));
        }
    }
}

static void bytes_come_back_as_they_were(void **state)
{
    (void)state;
    struct access_log_entry entry = ordinary;
    entry.authority = STRVIEW("a\"b\\c\x01\t\n\x7f/d");
    json_t *json = parsed_line(&entry);
    assert_text(json, "authority", "a\"b\\c\x01\t\n\x7f/d");
    json_decref(json);
}

/* What a line says of a path, which a byte that needs an escape stands in. */
static void assert_path_comes_back(size_t length, size_t place, char byte)
{
    char text[64];
    memset(text, 'x', sizeof(text));
    text[place] = byte;
    text[length] = '\0';
    struct access_log_entry entry = ordinary;
    entry.path = strview_make(text, length);
    json_t *json = parsed_line(&entry);
    assert_text(json, "path", text);
    json_decref(json);
}

static void a_byte_is_escaped_wherever_it_stands_in_a_text(void **state)
{
    (void)state;
    static const char bytes[] = {'"', '\\', '\n', '\x1f', '\x7f', 'y'};
    for (size_t length = 1; length <= 36; length++) {
        for (size_t place = 0; place < length; place++) {
            for (size_t i = 0; i < sizeof(bytes); i++)
                assert_path_comes_back(length, place, bytes[i]);
        }
    }
}

static void a_text_is_cut_where_its_space_ends(void **state)
{
    (void)state;
    static char text[2000];
    for (size_t length = 110; length < 140; length++) {
        for (size_t place = 0; place < length; place++) {
            memset(text, 'x', sizeof(text));
            text[place] = '"';
            struct access_log_entry entry = ordinary;
            entry.authority = strview_make(text, length);
            json_t *json = parsed_line(&entry);
            const char *said = json_string_value(json_object_get(json, "authority"));
            assert_memory_equal(said, text, strlen(said));
            assert_true(strlen(said) == length || strlen(said) >= 121);
            assert_true(strlen(said) <= 123);
            json_decref(json);
        }
    }
}

static void assert_time(uint64_t unix_ms)
{
    char expected[64];
    time_t unix_s = (time_t)(unix_ms / 1000);
    struct tm parts;
    size_t length =
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&unix_s, &parts));
    snprintf(expected + length, sizeof(expected) - length, ".%03uZ", (unsigned)(unix_ms % 1000));
    struct access_log_entry entry = {.unix_ms = unix_ms};
    json_t *json = parsed_line(&entry);
    assert_text(json, "ts", expected);
    json_decref(json);
}

static void the_time_is_right_whichever_line_went_before(void **state)
{
    (void)state;
    static const uint64_t starts[] = {
        0, 1700000000000, 1798761599000, 1709164800000, 4102444800000, 1700000000000};
    static const uint64_t steps[] = {0, 1, 999, 1000, 1001, 999, 0, 59999, 60000, 3599999, 500};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++)
            assert_time(starts[i] + steps[j]);
    }
}

static void one_long_text_is_cut_and_the_rest_stays(void **state)
{
    (void)state;
    static char long_text[100000];
    static const char fillers[] = {'x', '"', '\\', '\x01', '\xff', '&', '='};
    for (size_t i = 0; text_at(&(struct access_log_entry){0}, i) != NULL; i++) {
        for (size_t j = 0; j < sizeof(fillers); j++) {
            struct access_log_entry entry = ordinary;
            memset(long_text, fillers[j], sizeof(long_text));
            *text_at(&entry, i) = strview_make(long_text, sizeof(long_text));
            json_t *json = parsed_line(&entry);
            assert_int_equal(json_integer_value(json_object_get(json, "generation")), 7);
            json_decref(json);
        }
    }
}

static void all_texts_may_be_long_at_once(void **state)
{
    (void)state;
    static char long_text[100000];
    static const char fillers[] = {'x', '"', '\x01', '\xff', '='};
    for (size_t j = 0; j < sizeof(fillers); j++) {
        struct access_log_entry entry = ordinary;
        memset(long_text, fillers[j], sizeof(long_text));
        for (size_t i = 0; text_at(&entry, i) != NULL; i++)
            *text_at(&entry, i) = strview_make(long_text, sizeof(long_text));
        entry.bytes_received = entry.duration_us = entry.first_byte_us = entry.generation =
            INT64_MAX;
        entry.bytes_sent = INT64_MAX;
        entry.attempts = UINT32_MAX;
        json_t *json = parsed_line(&entry);
        assert_true(json_integer_value(json_object_get(json, "generation")) == INT64_MAX);
        json_decref(json);
    }
}

static void the_values_of_a_query_are_never_written(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"?", "/p?"},
        {"?page=SECRET", "/p?page=..."},
        {"?a=SECRET&b=SECRET", "/p?a=...&b=..."},
        {"?a=&b", "/p?a=...&b"},
        {"?a=SECRET=SECRET", "/p?a=..."},
        {"?a=SECRET?b=SECRET", "/p?a=..."},
        {"?=SECRET", "/p?=..."},
        {"?a=SECRET%26b=SECRET", "/p?a=..."},
        {"?a=SECRET;SECRET", "/p?a=..."},
        {"?a=SECRET;b=SECRET&c=SECRET", "/p?a=...&c=..."},
        {"?\"a\"=SECRET", "/p?\"a\"=..."},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_log_entry entry = ordinary;
        entry.path = STRVIEW("/p");
        entry.query = strview_of(rows[i][0]);
        json_t *json = parsed_line(&entry);
        assert_text(json, "path", rows[i][1]);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_all_there_is_to_say),
        cmocka_unit_test(an_entry_of_nothing_is_a_line_all_the_same),
        cmocka_unit_test(any_byte_in_any_text_leaves_valid_json),
        cmocka_unit_test(bytes_come_back_as_they_were),
        cmocka_unit_test(a_byte_is_escaped_wherever_it_stands_in_a_text),
        cmocka_unit_test(a_text_is_cut_where_its_space_ends),
        cmocka_unit_test(the_time_is_right_whichever_line_went_before),
        cmocka_unit_test(one_long_text_is_cut_and_the_rest_stays),
        cmocka_unit_test(all_texts_may_be_long_at_once),
        cmocka_unit_test(the_values_of_a_query_are_never_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
