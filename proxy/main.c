/* strangler: the command line's first word decides. */
#include <stdio.h>

#include "proxy/cli/command_check.h"
#include "proxy/cli/command_explain.h"
#include "proxy/cli/command_run.h"
#include "proxy/core/strview.h"

enum { EXIT_USAGE = 2 };

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"run", command_run, "serve a configuration (a folder or a file; default: routes)"},
    {"check", command_check, "report every fault of a configuration"},
    {"explain", command_explain, "say where one request would go, and why"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    fprintf(out, "usage: strangler COMMAND [ARGUMENTS]\n\n"
                 "An HTTP/2 reverse proxy for teams who take a monolith apart, one module at a "
                 "time.\n\nCommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n`strangler COMMAND --help` tells more; `strangler --version` the version.\n");
}

int main(int argc, char **argv)
{
    struct strview word = strview_of(argc > 1 ? argv[1] : NULL);
    if (strview_equal(word, STRVIEW("--help")) || strview_equal(word, STRVIEW("-h")) ||
        strview_equal(word, STRVIEW("help"))) {
        print_help(stdout);
        return 0;
    }
    if (strview_equal(word, STRVIEW("--version"))) {
        printf("strangler %s\n", STRANGLER_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++) {
        if (strview_equal(word, strview_of(commands[i].name)))
            return commands[i].run(argc - 1, argv + 1);
    }
    if (word.length > 0)
        fprintf(stderr, "strangler: unknown command `%s`\n\n", argv[1]);
    print_help(stderr);
    return EXIT_USAGE;
}
