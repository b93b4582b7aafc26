/* `strangler check`: every fault and lint of a configuration, without running it. */
#ifndef CLI_COMMAND_CHECK_H
#define CLI_COMMAND_CHECK_H

/* argv[0] is "check". Returns the exit status: 0 good, 1 a fault was found, 2 bad usage. */
int command_check(int argc, char **argv);

#endif
