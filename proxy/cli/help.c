#include "proxy/cli/help.h"

#include <string.h>

#include "proxy/cli/arguments.h"

enum { NAME_WIDTH = 12, OPTION_WIDTH = 28, OPTION_BYTES = 64 };

static void print_option(const struct option_row *row, FILE *out)
{
    char text[OPTION_BYTES];
    char letter[] = {'-', row->letter, ',', ' ', '\0'};
    snprintf(text, sizeof(text), "%s%s%s%s", row->letter != 0 ? letter : "", row->name,
             row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
    fprintf(out, "  %-*s %s\n", OPTION_WIDTH, text, row->help);
}

static const char usual_exits[] =
    "0 done, 1 refused or failed, 2 bad usage, 3 the proxy is not reachable.";

void help_print(const struct command *command, FILE *out)
{
    fprintf(out, "usage: strangler %s%s%s%s\n\n%s\nOptions:\n", command->name,
            command->words[0] != '\0' ? " " : "", command->words,
            command->options != 0 ? " [OPTIONS]" : "", command->description);
    for (int option = 0; option < OPTION_COUNT; option++) {
        if (option == OPTION_HELP || (command->options & OPTION_BIT(option)) != 0)
            print_option(&option_rows[option], out);
    }
    if (command->examples != NULL)
        fprintf(out, "\nExamples:\n%s", command->examples);
    if ((command->options & OPTION_BIT(OPTION_ADMIN)) != 0)
        fputs(
            "\nWhich proxy: --admin, else $STRANGLER_ADMIN, else the `admin` of the configuration\n"
            "(--config, else the folder `routes`). The token over TCP: "
            "$STRANGLER_ADMIN_TOKEN_FILE,\n"
            "else admin.token in the configuration's state_dir.\n",
            out);
    fprintf(out, "\nExit status: %s\n", command->exits != NULL ? command->exits : usual_exits);
}

void help_print_all(FILE *out)
{
    fputs("usage: strangler COMMAND [WORDS] [OPTIONS]\n\n"
          "An HTTP/2 reverse proxy for teams who take a monolith apart, one module at a time.\n\n"
          "Commands:\n",
          out);
    for (const struct command *command = commands; command->name != NULL; command++)
        fprintf(out, "  %-*s %s\n", NAME_WIDTH, command->name, command->summary);

    fputs("\n`strangler help COMMAND` tells more; `strangler version` the version.\n", out);
}
