/*
 * The way of a TLS connection to its socket: as OpenSSL's own, but a record may be written with
 * the word that more follows at once, so that the kernel sends many of them as one piece, and a
 * socket that was found empty is not read again until the loop says so. One thread.
 */
#ifndef NET_TLS_SOCKET_H
#define NET_TLS_SOCKET_H

#include <stdbool.h>

struct ssl_st;

/* Embedded in the owner of the connection, which outlives it. */
struct tls_socket {
    int fd;
    struct ssl_st *tls;
    bool more_follows; /* what is written next is not the last of its kind */
    bool drained;      /* nothing is there to be read; the owner takes it back */
};

/* `socket` is what `tls` reads and writes from now on. False: out of memory. */
bool tls_socket_attach(struct tls_socket *socket, struct ssl_st *tls);

#endif
