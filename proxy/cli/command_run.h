/* `strangler run`: serves a configuration until a signal ends it. */
#ifndef CLI_COMMAND_RUN_H
#define CLI_COMMAND_RUN_H

/* argv[0] is "run". Returns the exit status: 0 after an orderly end, 1 when it could not start, 2
 * bad usage. */
int command_run(int argc, char **argv);

#endif
