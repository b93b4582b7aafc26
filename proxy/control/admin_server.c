#include "proxy/control/admin_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/net/socket.h"

enum { BACKLOG = 64, CONNECTIONS_MAX = 64, TIMEOUT_S = 30, CONNECTION_BYTES = 32 * 1024 };
enum { BURST_EVENTS = 1000, REST_MS = 100, HEARTBEAT_MS = 1000 };

struct admin_server {
    struct loop *loop;
    const struct admin_route *routes;
    void *context;
    struct MHD_Daemon *daemon;
    ev_io active;            /* the daemon's own epoll descriptor */
    struct deadline timeout; /* of the daemon's connections */
    struct deadline rest;
    uint64_t burst_began_ms;
    uint32_t burst_events;
    char *socket_path; /* of a Unix socket, removed at the end */
};

static const struct admin_route *find_route(const struct admin_server *server, const char *path)
{
    for (const struct admin_route *route = server->routes; route->path != NULL; route++) {
        if (strcmp(route->path, path) == 0)
            return route;
    }
    return NULL;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status,
                             const char *content_type, const char *body, size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_problem(struct MHD_Connection *connection, unsigned status,
                                     const char *title)
{
    char body[160];
    int length =
        snprintf(body, sizeof(body), "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u}\n",
                 title, status);
    return reply(connection, status, "application/problem+json", body, (size_t)length);
}

static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *body, size_t *body_length, void **state)
{
    (void)version, (void)body;
    static int seen;
    struct admin_server *server = argument;
    if (*state == NULL) { /* the head alone; the answer waits for the rest */
        *state = &seen;
        return MHD_YES;
    }
    if (*body_length > 0) {
        *body_length = 0;
        return MHD_YES;
    }
    const struct admin_route *route = find_route(server, url);
    if (route == NULL)
        return reply_problem(connection, MHD_HTTP_NOT_FOUND, "Not Found");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply_problem(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return MHD_NO;
    int status = route->write(server->context, out);
    fclose(out);
    enum MHD_Result result = reply(connection, (unsigned)status, route->content_type, text, length);
    free(text);
    return result;
}

/* --- in the loop --------------------------------------------------------------------------- */

static void run_daemon(struct admin_server *server)
{
    MHD_run(server->daemon);
    /* Never without a timer: a daemon that ran out of descriptors, or of its own connections,
     * listens again only in a later run, and nothing else may cause one. */
    MHD_UNSIGNED_LONG_LONG timeout_ms = HEARTBEAT_MS;
    if (MHD_get_timeout(server->daemon, &timeout_ms) != MHD_YES || timeout_ms > HEARTBEAT_MS)
        timeout_ms = HEARTBEAT_MS;
    deadline_start(server->loop, &server->timeout, timeout_ms > 0 ? timeout_ms : 1);
}

/*
 * Without descriptors the daemon cannot accept, and its listening socket stays readable: it would
 * spin. Nobody who operates the proxy causes that many events in so short a time, so it rests then.
 */
static bool has_earned_rest(struct admin_server *server)
{
    if (server->loop->now_ms - server->burst_began_ms > REST_MS) {
        server->burst_began_ms = server->loop->now_ms;
        server->burst_events = 0;
    }
    return ++server->burst_events > BURST_EVENTS;
}

static void on_active(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)events;
    struct admin_server *server = watcher->data;
    if (has_earned_rest(server)) {
        ev_io_stop(ev, watcher);
        deadline_start(server->loop, &server->rest, REST_MS);
        return;
    }
    run_daemon(server);
}

static void on_rested(struct deadline *deadline)
{
    struct admin_server *server = LIST_ENTRY(deadline, struct admin_server, rest);
    ev_io_start(server->loop->ev, &server->active);
}

static void on_timeout(struct deadline *deadline)
{
    run_daemon(LIST_ENTRY(deadline, struct admin_server, timeout));
}

static struct MHD_Daemon *start_daemon(struct admin_server *server, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_BYTES, MHD_OPTION_END);
}

struct admin_server *admin_server_new(struct loop *loop, const struct address *address,
                                      const struct admin_route *routes, void *context,
                                      struct fault *fault)
{
    char text[ADDRESS_TEXT_BYTES];
    int fd = socket_listen(address, BACKLOG, false);
    if (fd < 0) {
        fault_set(fault, "cannot listen on the admin address %s: %s", address_format(address, text),
                  strerror(errno));
        return NULL;
    }
    struct admin_server *server = memory_zalloc(sizeof(*server));
    server->loop = loop;
    server->routes = routes;
    server->context = context;
    deadline_init(&server->timeout, on_timeout);
    deadline_init(&server->rest, on_rested);
    if (address->socket.any.sa_family == AF_UNIX)
        server->socket_path = memory_strdup(address->socket.local.sun_path);
    server->daemon = start_daemon(server, fd);
    const union MHD_DaemonInfo *info =
        server->daemon != NULL ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)
                               : NULL;
    if (info == NULL) {
        fault_set(fault, "cannot start the admin server");
        if (server->daemon == NULL)
            close(fd);
        admin_server_free(server);
        return NULL;
    }
    ev_io_init(&server->active, on_active, info->epoll_fd, EV_READ);
    server->active.data = server;
    ev_io_start(loop->ev, &server->active);
    return server;
}

void admin_server_free(struct admin_server *server)
{
    if (server == NULL)
        return;
    if (ev_is_active(&server->active))
        ev_io_stop(server->loop->ev, &server->active);
    deadline_stop(&server->timeout);
    deadline_stop(&server->rest);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (server->socket_path != NULL)
        unlink(server->socket_path);
    free(server->socket_path);
    free(server);
}
