#include "monolith_stub/web_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monolith_stub/job_pool.h"
#include "monolith_stub/suspensions.h"
#include "monolith_stub/waiting_room.h"
#include "monolith_stub/web_exchange.h"

struct web_server {
    struct MHD_Daemon *daemon;
    struct web_context context;
    struct suspensions suspensions;
    pthread_mutex_t lock;
    pthread_cond_t became_quiet;
    unsigned running; /* exchanges begun and not yet completed */
    atomic_bool stops;
};

static void count_exchange(struct web_server *server, int change)
{
    pthread_mutex_lock(&server->lock);
    server->running += (unsigned)change;
    if (server->running == 0)
        pthread_cond_signal(&server->became_quiet);
    pthread_mutex_unlock(&server->lock);
}

/* Leaves the path as it came: what it means is for the routes to say. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

/* Called when the head is there, then for each piece of a body, once more at its end, and after
 * each time the connection was suspended. Answering only at the end keeps the connection usable
 * after a body that nobody wanted. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **exchange)
{
    struct web_server *server = context;
    if (*exchange == NULL) {
        *exchange = web_exchange_new(&server->context, connection, method, url);
        if (*exchange == NULL)
            return MHD_NO;
        count_exchange(server, 1);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        web_exchange_take_body(*exchange, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return web_exchange_run(*exchange, version);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **exchange,
                         enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    (void)reason;
    if (*exchange == NULL)
        return;
    web_exchange_free(*exchange);
    *exchange = NULL;
    count_exchange(context, -1);
}

/* At a stop: nobody new. MHD_quiesce_daemon would say so, but it races with the daemon's own
 * threads for the listening socket in their epoll sets, and the loser aborts. */
static enum MHD_Result on_connection(void *context, const struct sockaddr *address,
                                     socklen_t length)
{
    (void)address;
    (void)length;
    struct web_server *server = context;
    return atomic_load(&server->stops) ? MHD_NO : MHD_YES;
}

static struct MHD_Daemon *start_daemon(struct web_server *server, int listen_socket)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(flags, 0, on_connection, server, on_request, server,
                            MHD_OPTION_LISTEN_SOCKET, listen_socket, MHD_OPTION_THREAD_POOL_SIZE,
                            (unsigned)WEB_SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)WEB_SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)WEB_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)WEB_SERVER_CONNECTION_BYTES, MHD_OPTION_UNESCAPE_CALLBACK,
                            keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
                            MHD_OPTION_END);
}

static bool start_pools(struct web_context *context)
{
    context->writes = job_pool_new(WEB_SERVER_WRITE_THREADS, WEB_SERVER_WRITE_QUEUE);
    context->passwords = job_pool_new(WEB_SERVER_PASSWORD_THREADS, WEB_SERVER_PASSWORD_QUEUE);
    return context->writes != NULL && context->passwords != NULL;
}

struct web_server *web_server_new(struct forum *forum, int take_listen_socket)
{
    struct web_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        close(take_listen_socket);
        return NULL;
    }
    server->context.forum = forum;
    server->context.suspensions = &server->suspensions;
    suspensions_init(&server->suspensions);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->became_quiet, NULL);
    if (start_pools(&server->context))
        server->daemon = start_daemon(server, take_listen_socket);
    if (server->daemon == NULL) {
        fputs("monolith_stub: cannot start the web server\n", stderr);
        close(take_listen_socket);
        web_server_free(server);
        return NULL;
    }
    return server;
}

static void wait_until_quiet(struct web_server *server)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WEB_SERVER_STOP_MS / 1000;
    pthread_mutex_lock(&server->lock);
    int outcome = 0;
    while (server->running > 0 && outcome != ETIMEDOUT)
        outcome = pthread_cond_timedwait(&server->became_quiet, &server->lock, &deadline);
    pthread_mutex_unlock(&server->lock);
}

void web_server_free(struct web_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        atomic_store(&server->stops, true);
        waiting_room_close(server->context.forum->room);
        wait_until_quiet(server);
        suspensions_stop(&server->suspensions); /* clients may go on asking */
        job_pool_stop(server->context.writes);
        job_pool_stop(server->context.passwords);
        MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    }
    job_pool_free(server->context.writes);
    job_pool_free(server->context.passwords);
    suspensions_done(&server->suspensions);
    pthread_cond_destroy(&server->became_quiet);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
