/*
 * Accepts connections and runs them: cleartext HTTP/2 with prior knowledge, one thread, one loop.
 * Owner: service_run. Every connection is written to at most once a turn of the loop.
 */
#ifndef SERVICE_KIT_H2_SERVER_H
#define SERVICE_KIT_H2_SERVER_H

#include "extracted/service_kit/h2_stream.h"

enum {
    H2_CONNECTIONS = 1024, /* more wait in the kernel's queue */
    H2_DRAIN_S = 10,       /* how long a stop waits for streams that run */
};

struct h2_server;
struct ev_loop;

/* Listening sockets are taken in any case; the service is borrowed. NULL: no memory. */
struct h2_server *h2_server_new(int take_listen_socket, const struct h2_service *service);

/* The loop, for others that live in it; the server's, and gone with it. */
struct ev_loop *h2_server_loop(struct h2_server *server);

/* Serves until TERM or INT, then says goodbye to everyone and returns once they are gone, or after
 * H2_DRAIN_S. No request and no task is left then. */
void h2_server_run(struct h2_server *server);

void h2_server_free(struct h2_server *server);

#endif
