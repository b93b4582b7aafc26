/*
 * Non-blocking sockets. Descriptors are plain ints, owned by whoever called; -1 with errno set on
 * failure. Any thread.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <stdbool.h>

#include "proxy/net/address.h"

/*
 * A listening socket. `shared`: with SO_REUSEPORT, so that each worker has one of its own; else the
 * address is ours alone. The file of a Unix socket that nobody listens on any more is replaced.
 */
int socket_listen(const struct address *address, int backlog, bool shared);

/* Starts to connect: success means connected or in progress. TCP_NODELAY is set. */
int socket_connect(const struct address *address);

/* Accepts one connection, non-blocking, TCP_NODELAY. */
int socket_accept(int listener, struct address *ret_client);

/* The pending error of a socket whose connect has ended: 0 when it is connected. */
int socket_error(int fd);

/* Has the other end closed its side, or all of it? Bytes from before may wait to be read. */
bool socket_has_ended(int fd);

/* Is something of what was written not acknowledged yet by the other end's system? */
bool socket_has_output(int fd);

/* Closing it will send a reset instead of an orderly end. */
void socket_reset_on_close(int fd);

/* Where a socket is bound to; false on failure. */
bool socket_local_address(int fd, struct address *ret_address);

#endif
