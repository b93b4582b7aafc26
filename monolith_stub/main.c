/*
 * The monolith: options, database, web server, and a wait for the signal that ends it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monolith_stub/listen_socket.h"
#include "monolith_stub/options.h"
#include "monolith_stub/store_pool.h"
#include "monolith_stub/store_schema.h"
#include "monolith_stub/web_server.h"

enum { EXIT_DONE = 0, EXIT_PROBLEM = 1, EXIT_USAGE = 2 };

/* Before any thread is made, so that every one inherits it and sigwait gets the signal. */
static void block_stop_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool prepare_database(const char *path)
{
    struct store store;
    if (!store_open(&store, path))
        return false;
    bool updated = store_schema_update(&store);
    store_close(&store);
    return updated;
}

static int serve(struct store_pool *pool, int take_listen_socket, const char *address,
                 const sigset_t *stop_signals)
{
    struct web_server *server = web_server_new(pool, take_listen_socket);
    if (server == NULL)
        return EXIT_PROBLEM;
    printf("ready %s\n", address);
    fflush(stdout);
    int got = 0;
    sigwait(stop_signals, &got);
    web_server_free(server);
    return EXIT_DONE;
}

static int run(const struct options *options, const sigset_t *stop_signals)
{
    char address[LISTEN_ADDRESS_TEXT];
    int listen_socket = -1;
    switch (listen_socket_open(options->listen, &listen_socket, address)) {
    case LISTEN_OK:
        break;
    case LISTEN_BAD_ADDRESS:
        fprintf(stderr, "monolith_stub: --listen '%s' is not ADDRESS:PORT\n", options->listen);
        return EXIT_USAGE;
    case LISTEN_FAILED:
        fprintf(stderr, "monolith_stub: cannot listen on %s: %s\n", options->listen,
                strerror(errno));
        return EXIT_PROBLEM;
    }
    struct store_pool *pool = NULL;
    if (prepare_database(options->database))
        pool = store_pool_new(options->database, WEB_SERVER_THREADS);
    if (pool == NULL) {
        close(listen_socket);
        return EXIT_PROBLEM;
    }
    int status = serve(pool, listen_socket, address, stop_signals);
    store_pool_free(pool);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    switch (options_read(argc, argv, &options)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_HELP:
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    }
    sigset_t stop_signals;
    block_stop_signals(&stop_signals);
    return run(&options, &stop_signals);
}
