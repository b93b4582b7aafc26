/*
 * The listening sockets of one worker for one address. Each worker has a socket of its own for each
 * address (SO_REUSEPORT), so that the kernel spreads connections; of a Unix socket each has a
 * descriptor. Of sockets that came from another process a worker may have several, or share one. A
 * connection stays with its worker.
 */
#ifndef CLIENT_LISTENER_H
#define CLIENT_LISTENER_H

#include "proxy/client/client_connection.h"

struct listener;

/* Descriptors of listening sockets; zeroed: none. */
struct listener_sockets {
    int *fds;
    size_t count;
};

void listener_sockets_add(struct listener_sockets *sockets, int fd);

/* Closes the descriptors; none are left. */
void listener_sockets_close(struct listener_sockets *sockets);

/* Takes the descriptors, and leaves none. The config belongs to the worker's current snapshot. */
struct listener *listener_new_take(struct client_environment *environment,
                                   struct listener_sockets *sockets,
                                   const struct listener_config *config);

/* A newer snapshot says the same address: certificates and the like may have changed. */
void listener_update(struct listener *listener, const struct listener_config *config);

struct strview listener_address(const struct listener *listener);

/* Adds a duplicate of each descriptor; false with errno when there are not enough of them. */
bool listener_copy_sockets(const struct listener *listener, struct listener_sockets *sockets);

/* Takes all connections that wait to be accepted now, within the limits. */
void listener_accept_waiting(struct listener *listener);

/* Stops accepting and closes the sockets; connections live on. */
void listener_free(struct listener *listener);

#endif
