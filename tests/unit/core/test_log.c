#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/log.h"

enum { PIPE_BYTES = 8192, LINE_MAX_BYTES = 2048 };

static int saved_stderr;
static int pipe_ends[2];

static void capture_begin(void)
{
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
    close(pipe_ends[1]);
}

/* What was written to standard error since capture_begin. */
static size_t capture_end(char text[static PIPE_BYTES])
{
    assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
    close(saved_stderr);
    size_t used = 0;
    ssize_t got;
    while ((got = read(pipe_ends[0], text + used, PIPE_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    close(pipe_ends[0]);
    text[used] = '\0';
    return used;
}

static const char *message_of(const char *line)
{
    const char *found = strstr(line, "strangler ");
    assert_non_null(found);
    found = strstr(found, ": ");
    assert_non_null(found);
    return found + 2;
}

static void a_line_has_time_level_and_text(void **state)
{
    (void)state;
    char text[PIPE_BYTES];
    capture_begin();
    log_warning("%d of %s", 3, "four");
    capture_end(text);
    unsigned year;
    unsigned rest[5];
    unsigned ms;
    int end = 0;
    assert_int_equal(sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ strangler warning: 3 of four\n%n",
                            &year, &rest[0], &rest[1], &rest[2], &rest[3], &rest[4], &ms, &end),
                     7);
    assert_int_equal(end, strlen(text));
    assert_true(year >= 2024);
}

static void control_bytes_cannot_forge_a_line(void **state)
{
    (void)state;
    char text[PIPE_BYTES];
    capture_begin();
    log_error("a\nb\r\x1b[31m\tc\x7f\x01");
    size_t length = capture_end(text);
    assert_string_equal(message_of(text), "a\\x0ab\\x0d\\x1b[31m\\x09c\\x7f\\x01\n");
    assert_ptr_equal(memchr(text, '\n', length), text + length - 1);
}

static void only_printable_ascii_is_written_as_it_is(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char text[PIPE_BYTES];
        char expected[8];
        bool plain = byte >= 0x20 && byte < 0x7f;
        if (plain)
            snprintf(expected, sizeof(expected), "%c\n", byte);
        else
            snprintf(expected, sizeof(expected), "\\x%02x\n", (unsigned)byte);
        capture_begin();
        log_error("%c", byte);
        capture_end(text);
        assert_string_equal(message_of(text), expected);
    }
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    static char filler[4096];
    char text[PIPE_BYTES];
    static const char bytes[] = {'x', '\n'};
    for (size_t i = 0; i < sizeof(bytes); i++) {
        memset(filler, bytes[i], sizeof(filler) - 1);
        capture_begin();
        log_error("%s", filler);
        size_t length = capture_end(text);
        assert_in_range(length, LINE_MAX_BYTES - 8, LINE_MAX_BYTES);
        assert_ptr_equal(memchr(text, '\n', length), text + length - 1);
    }
}

static void messages_below_the_level_are_dropped(void **state)
{
    (void)state;
    char text[PIPE_BYTES];
    capture_begin();
    log_debug("one");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("two");
    log_error("three");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("four");
    log_set_level(LOG_LEVEL_INFO);
    capture_end(text);
    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "error: three\n"));
    assert_non_null(strstr(text, "debug: four\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_text),
        cmocka_unit_test(control_bytes_cannot_forge_a_line),
        cmocka_unit_test(only_printable_ascii_is_written_as_it_is),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(messages_below_the_level_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
