/* `strangler help` and `strangler version`. */
#include "proxy/cli/help.h"
#include "proxy/cli/usage.h"

int command_help(const struct invocation *invocation)
{
    if (invocation->word_count == 0) {
        help_print_all(stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(invocation->words[0]);
    if (command == NULL)
        return usage_unknown_command(invocation->words[0]);
    help_print(command, stdout);
    return EXIT_DONE;
}

int command_version(const struct invocation *invocation)
{
    (void)invocation;
    printf("strangler %s\n", STRANGLER_VERSION);
    return EXIT_DONE;
}
