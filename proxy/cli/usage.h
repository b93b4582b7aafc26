/* What the commands say about words on the command line that they cannot use. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

enum { EXIT_USAGE = 2 };

/* Says on standard error what is wrong and where help is. Returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_fault(const char *command, const char *format, ...);

/* The same for the option with which getopt_long has just returned `result`: '?' or ':'. */
int usage_option_fault(const char *command, char **argv, int result);

#endif
