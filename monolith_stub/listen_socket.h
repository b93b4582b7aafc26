/*
 * From "127.0.0.1:3000" to a listening socket, and back to text. Main thread, at start.
 */
#ifndef MONOLITH_LISTEN_SOCKET_H
#define MONOLITH_LISTEN_SOCKET_H

#include <stddef.h>

enum { LISTEN_ADDRESS_TEXT = 128 }; /* room for an address with its port */

enum listen_outcome {
    LISTEN_OK,
    LISTEN_BAD_ADDRESS, /* not ADDRESS:PORT, [ADDRESS]:PORT or a name that resolves */
    LISTEN_FAILED,      /* errno says why */
};

/* Listens without blocking. On success the caller owns *ret_socket, and ret_address (at least
 * LISTEN_ADDRESS_TEXT bytes) holds the real address: port 0 has become a number. */
enum listen_outcome listen_socket_open(const char *address, int *ret_socket, char *ret_address);

#endif
