/*
 * The command line of the monolith. Owner: main. Read once, before any thread.
 */
#ifndef MONOLITH_OPTIONS_H
#define MONOLITH_OPTIONS_H

#include "monolith_stub/feeds/feed.h"
#include "monolith_stub/knobs.h"

struct options {
    const char *listen;                  /* ADDRESS:PORT, port 0 for any free one */
    const char *database;                /* path of the SQLite file */
    const char *follow[AGGREGATE_COUNT]; /* http://ADDRESS:PORT of a service, or NULL */
    struct knobs knobs;
};

enum options_outcome {
    OPTIONS_RUN,   /* *ret_options is filled; its strings live in argv or for ever */
    OPTIONS_HELP,  /* the help was printed: exit 0 */
    OPTIONS_WRONG, /* the fault was printed: exit 2 */
};

enum options_outcome options_read(int argc, char **argv, struct options *ret_options);

#endif
