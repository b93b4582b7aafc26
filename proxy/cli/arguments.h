/* Reads the words and options of one command. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "proxy/cli/command.h"

struct option_row {
    const char *name;  /* "--why" */
    char letter;       /* '\0': none */
    const char *value; /* what follows, for people; NULL: nothing */
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT];

/*
 * argv[0] is the command. EXIT_DONE, or EXIT_USAGE after saying what is wrong. The invocation views
 * argv; free it with invocation_done in either case.
 */
int arguments_read(const struct command *command, int argc, char **argv,
                   struct invocation *ret_invocation);
void invocation_done(struct invocation *invocation);

#endif
