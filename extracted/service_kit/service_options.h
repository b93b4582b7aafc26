/*
 * The command line, the same for every service. Owner: service_run. Main thread, at start.
 */
#ifndef SERVICE_KIT_SERVICE_OPTIONS_H
#define SERVICE_KIT_SERVICE_OPTIONS_H

#include <stdint.h>

#include "extracted/service_kit/knobs.h"

struct service_options {
    const char *listen;
    const char *database;
    const char *monolith;
    const char *users;   /* NULL: not given */
    const char *threads; /* NULL: not given */
    int64_t import_timeout_ms;
    struct knobs knobs;
};

enum service_options_outcome {
    SERVICE_OPTIONS_RUN,
    SERVICE_OPTIONS_HELP,  /* printed: exit 0 */
    SERVICE_OPTIONS_WRONG, /* the fault was printed: exit 2 */
};

/* *options holds the defaults and is changed by what argv says; its strings then live in argv. */
enum service_options_outcome service_options_read(const char *service, int argc, char **argv,
                                                  struct service_options *options);

#endif
