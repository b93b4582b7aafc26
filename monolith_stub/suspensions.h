/*
 * Connections that wait for another thread. libmicrohttpd aborts the program when its daemon is
 * stopped while one of its connections is suspended; so they are counted, and none begins to wait
 * once the stop has begun.
 * Owner: the web server. Any thread; begin on the connection's own.
 */
#ifndef MONOLITH_SUSPENSIONS_H
#define MONOLITH_SUSPENSIONS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

struct suspensions {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned count;
    bool stops;
};

void suspensions_init(struct suspensions *suspensions);
void suspensions_done(struct suspensions *suspensions);

/* False: the server stops, and the connection goes on as it is. */
bool suspensions_begin(struct suspensions *suspensions, struct MHD_Connection *connection);

/* The connection goes on, and what waited may be gone at once. */
void suspensions_end(struct suspensions *suspensions, struct MHD_Connection *connection);

/* Lets none begin from now on, and returns when all have ended. */
void suspensions_stop(struct suspensions *suspensions);

#endif
