/* The texts of `--help`, made from the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "proxy/cli/command.h"

void help_print(const struct command *command, FILE *out);
void help_print_all(FILE *out);

#endif
