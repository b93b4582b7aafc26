/* What may stand at the cursor, for the shell: from the same table as everything else. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

/*
 * `strangler complete INDEX WORD…`: the words of a command line as bash splits it, and which of
 * them is being typed. Prints a candidate a line; the modules and endpoints are those of the
 * running proxy. The exit status.
 */
int complete(int argc, char **argv);

#endif
