/*
 * The monolith: options, database, web server, and a wait for the signal that ends it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monolith_stub/feeds/follower.h"
#include "monolith_stub/listen_socket.h"
#include "monolith_stub/options.h"
#include "monolith_stub/store_pool.h"
#include "monolith_stub/store_schema.h"
#include "monolith_stub/waiting_room.h"
#include "monolith_stub/web_server.h"
#include "monolith_stub/writer.h"

/* One for each thread that may read at the same time: none ever waits for another. */
enum { READERS = WEB_SERVER_THREADS + WEB_SERVER_WRITE_THREADS + WEB_SERVER_PASSWORD_THREADS };

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

static bool wants_to_follow(const struct options *options)
{
    for (int i = 0; i < AGGREGATE_COUNT; i++) {
        if (options->follow[i] != NULL)
            return true;
    }
    return false;
}

static bool open_forum(const struct options *options, struct forum *forum)
{
    forum->knobs = options->knobs;
    forum->room = waiting_room_new();
    if (forum->room == NULL || !prepare_database(options->database))
        return false;
    forum->pool = store_pool_new(options->database, READERS);
    forum->writer = writer_new(options->database, forum->room);
    if (forum->pool == NULL || forum->writer == NULL)
        return false;
    if (!wants_to_follow(options))
        return true;
    forum->follower = follower_new(forum, options->follow);
    return forum->follower != NULL;
}

static void close_forum(struct forum *forum)
{
    follower_free(forum->follower);
    waiting_room_free(forum->room);
    writer_free(forum->writer);
    store_pool_free(forum->pool);
}

static int serve(struct forum *forum, int take_listen_socket, const char *address,
                 const sigset_t *stop_signals)
{
    struct web_server *server = web_server_new(forum, take_listen_socket);
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
        fprintf(stderr, "monolith_stub: --listen '%s' is not ADDRESS:PORT, with PORT 0 to 65535\n",
                options->listen);
        return EXIT_USAGE;
    case LISTEN_FAILED:
        fprintf(stderr, "monolith_stub: cannot listen on %s: %s\n", options->listen,
                strerror(errno));
        return EXIT_PROBLEM;
    }
    struct forum forum = {0};
    int status = EXIT_PROBLEM;
    if (open_forum(options, &forum))
        status = serve(&forum, listen_socket, address, stop_signals);
    else
        close(listen_socket);
    close_forum(&forum);
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
