/* `strangler explain`: what the proxy would do with one request, and why, from the files alone. */
#ifndef CLI_COMMAND_EXPLAIN_H
#define CLI_COMMAND_EXPLAIN_H

/* argv[0] is "explain". Returns the exit status: 0 explained, 1 a fault was found, 2 bad usage. */
int command_explain(int argc, char **argv);

#endif
