/*
 * What a service is, as one constant, and the program around it: options, database, import,
 * server, stop. A service's main is one call.
 */
#ifndef SERVICE_KIT_SERVICE_H
#define SERVICE_KIT_SERVICE_H

#include "extracted/service_kit/database.h"
#include "extracted/service_kit/feed.h"
#include "extracted/service_kit/import.h"
#include "extracted/service_kit/router.h"
#include "extracted/service_kit/row_reply.h"

struct service {
    const char *name;             /* in messages and in the help */
    const char *default_listen;   /* ADDRESS:PORT */
    const char *default_database; /* a file name */
    struct database_plan tables;
    struct feed_plan feeds;
    size_t session_query;      /* ?1 the hash of a session: user, expires_ms */
    size_t username_query;     /* ?1 a user: username */
    struct import_plan import; /* for a monolith without feeds */
    struct router router;      /* the kit adds /health, /, /api, /metrics and /internal */
};

/* Runs the program to its end; returns the exit status: 0 stopped as told, 1 fault, 2 bad usage. */
int service_run(const struct service *service, int argc, char **argv);

#endif
