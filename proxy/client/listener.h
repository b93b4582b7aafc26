/*
 * A listening socket of one worker. Each worker has a socket of its own for each address
 * (SO_REUSEPORT), so that the kernel spreads connections; of a Unix socket each has a descriptor. A
 * connection stays with its worker.
 */
#ifndef CLIENT_LISTENER_H
#define CLIENT_LISTENER_H

#include "proxy/client/client_connection.h"

struct listener;

/* Takes the descriptor. The config belongs to the worker's current snapshot. */
struct listener *listener_new_take(struct client_environment *environment, int fd,
                                   const struct listener_config *config);

/* A newer snapshot says the same address: certificates may have changed. */
void listener_update(struct listener *listener, const struct listener_config *config);

struct strview listener_address(const struct listener *listener);

/* Stops accepting and closes the socket; connections live on. */
void listener_free(struct listener *listener);

#endif
