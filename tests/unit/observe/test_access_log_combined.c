#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/observe/access_log_format.h"

/* One for all lines, as a worker has it. */
static struct access_log_second second;

static const char *combined_line(const struct access_log_entry *entry)
{
    static char line[ACCESS_LOG_LINE_BYTES + 1];
    size_t length = access_log_format_line(&second, ACCESS_LOG_COMBINED, entry, line);
    assert_in_range(length, 2, ACCESS_LOG_LINE_BYTES);
    assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
    line[length] = '\0';
    return line;
}

static void a_combined_line_is_what_log_tools_know(void **state)
{
    (void)state;
    struct access_log_entry entry = {
        .unix_ms = 1700000000999,
        .client = STRVIEW("192.0.2.7"),
        .protocol = STRVIEW("HTTP/1.1"),
        .method = STRVIEW("POST"),
        .path = STRVIEW("/api/users"),
        .query = STRVIEW("?token=SECRET&page=3"),
        .status = 201,
        .bytes_sent = 17,
    };
    assert_string_equal(combined_line(&entry),
                        "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "
                        "\"POST /api/users?token=...&page=... HTTP/1.1\" 201 17 \"-\" \"-\"\n");
}

/* The number of quotes that no backslash stands before. */
static int count_quotes(const char *line)
{
    int count = 0;
    for (const char *at = line; *at != '\0'; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            count++;
    }
    return count;
}

static void no_byte_of_a_request_can_forge_a_line_or_a_field(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char text[4] = {'/', (char)byte, (char)byte, 'z'};
        struct access_log_entry entry = {.client = STRVIEW("c"), .protocol = STRVIEW("h2")};
        entry.method = entry.path = entry.query = strview_make(text, sizeof(text));
        const char *line = combined_line(&entry);
        assert_int_equal(count_quotes(line), 6);
        for (const char *at = line; at[1] != '\0'; at++)
            assert_true(*at >= 0x20 && *at < 0x7f);
    }
}

static void long_texts_leave_the_line_whole(void **state)
{
    (void)state;
    static char text[100000];
    static const char fillers[] = {'x', '"', '\xff', '='};
    for (size_t i = 0; i < sizeof(fillers); i++) {
        memset(text, fillers[i], sizeof(text));
        struct strview view = strview_make(text, sizeof(text));
        struct access_log_entry entry = {.status = 200, .bytes_sent = 5};
        entry.client = entry.method = entry.path = entry.query = entry.protocol = view;
        const char *line = combined_line(&entry);
        assert_non_null(strstr(line, "\" 200 5 \"-\" \"-\"\n"));
        assert_int_equal(count_quotes(line), 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_combined_line_is_what_log_tools_know),
        cmocka_unit_test(no_byte_of_a_request_can_forge_a_line_or_a_field),
        cmocka_unit_test(long_texts_leave_the_line_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
