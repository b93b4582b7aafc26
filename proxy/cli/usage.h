/* What the commands say about words on the command line that they cannot use. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

#include "proxy/cli/command.h"

/* Says on standard error what is wrong and where help is. Returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_fault(const char *command, const char *format, ...);

/* Names the command that was probably meant. Returns EXIT_USAGE. */
int usage_unknown_command(const char *word);

/* The same for a problem that is not the user's wording, with the status to return. */
__attribute__((format(printf, 3, 4))) int problem(const char *command, int status,
                                                  const char *format, ...);

#endif
