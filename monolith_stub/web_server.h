/*
 * The HTTP/1.1 side: libmicrohttpd with a pool of epoll threads. It turns what arrives into a
 * struct request, asks the site, and sends the reply.
 * Owner: main. web_server_new and web_server_free run on the main thread.
 */
#ifndef MONOLITH_WEB_SERVER_H
#define MONOLITH_WEB_SERVER_H

#include "monolith_stub/forum.h"

enum {
    WEB_SERVER_THREADS = 2,
    WEB_SERVER_WRITE_THREADS = 4, /* for what waits: for the disk, for the other side */
    WEB_SERVER_WRITE_QUEUE = 1024,
    WEB_SERVER_PASSWORD_THREADS = 2, /* 16 MiB each */
    WEB_SERVER_PASSWORD_QUEUE = 64,
    WEB_SERVER_CONNECTIONS = 4096,
    WEB_SERVER_IDLE_S = 60,                  /* silence after which a connection is closed */
    WEB_SERVER_CONNECTION_BYTES = 96 * 1024, /* memory of one connection, its head included */
    WEB_SERVER_STOP_MS = 5000,               /* how long a stop waits for running exchanges */
};

struct web_server;

/* Serves on a listening socket, which it takes in any case. The forum is borrowed until
 * web_server_free. NULL: the fault was logged. */
struct web_server *web_server_new(struct forum *forum, int take_listen_socket);

/* Stops accepting, lets running exchanges end (for a while), closes everything. */
void web_server_free(struct web_server *server);

#endif
