#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/state_machine.h"

enum light { LIGHT_RED, LIGHT_GREEN, LIGHT_AMBER, LIGHT_COUNT };

static const struct state_row table[LIGHT_COUNT] = {
    [LIGHT_RED] = {"red", STATE_BIT(LIGHT_GREEN)},
    [LIGHT_GREEN] = {"green", STATE_BIT(LIGHT_AMBER)},
    [LIGHT_AMBER] = {"amber", STATE_BIT(LIGHT_RED) | STATE_BIT(LIGHT_AMBER)},
};

/* Makes the change in a child: the signal that ended it, or 0 when it returned what it should. */
static int signal_of_change(unsigned from, unsigned to)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(STDERR_FILENO); /* the message is expected */
        signal(SIGABRT, SIG_DFL);
        _exit(state_change(table, LIGHT_COUNT, from, to) == to ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status);
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

static void a_change_that_the_table_names_is_made(void **state)
{
    (void)state;
    assert_int_equal(state_change(table, LIGHT_COUNT, LIGHT_RED, LIGHT_GREEN), LIGHT_GREEN);
    assert_int_equal(state_change(table, LIGHT_COUNT, LIGHT_AMBER, LIGHT_AMBER), LIGHT_AMBER);
}

static void every_change_that_the_table_does_not_name_aborts(void **state)
{
    (void)state;
    for (unsigned from = 0; from < LIGHT_COUNT; from++) {
        for (unsigned to = 0; to < LIGHT_COUNT; to++) {
            bool allowed = (table[from].next >> to) & 1;
            assert_int_equal(signal_of_change(from, to), allowed ? 0 : SIGABRT);
        }
    }
}

static void a_state_outside_the_table_aborts(void **state)
{
    (void)state;
    assert_int_equal(signal_of_change(LIGHT_COUNT, LIGHT_RED), SIGABRT);
    assert_int_equal(signal_of_change(LIGHT_RED, LIGHT_COUNT), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_that_the_table_names_is_made),
        cmocka_unit_test(every_change_that_the_table_does_not_name_aborts),
        cmocka_unit_test(a_state_outside_the_table_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
