/* strangler: the command line's first word decides. */
#include <string.h>

#include "proxy/cli/arguments.h"
#include "proxy/cli/complete.h"
#include "proxy/cli/help.h"
#include "proxy/cli/terminal.h"
#include "proxy/cli/usage.h"

/* What other programs understand, too. */
static const char *name_of(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    return strcmp(word, "--version") == 0 ? "version" : word;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct invocation invocation;
    int status = arguments_read(command, argc, argv, &invocation);
    if (status == EXIT_DONE && invocation_has(&invocation, OPTION_HELP))
        help_print(command, stdout);
    else if (status == EXIT_DONE)
        status = command->run(&invocation);
    invocation_done(&invocation);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help_print_all(stderr);
        return EXIT_USAGE;
    }
    terminal_init();
    if (strcmp(argv[1], "complete") == 0) /* for the shell: its words are not ours to read */
        return complete(argc - 1, argv + 1);
    const struct command *command = command_find(name_of(argv[1]));
    return command != NULL ? run(command, argc - 1, argv + 1) : usage_unknown_command(argv[1]);
}
