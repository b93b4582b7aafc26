#include "proxy/control/admin_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/core/list.h"
#include "proxy/net/socket.h"

enum { BACKLOG = 64, CONNECTIONS_MAX = 64, CONNECTION_BYTES = 32 * 1024 };
enum { BURST_EVENTS = 1000, REST_MS = 100, HEARTBEAT_MS = 1000 };

/* How long a connection may take from its begin, or from its last answer, to the end of the next:
 * however slowly the client sends and reads, and whether or not it does. */
enum { REQUEST_LIMIT_MS = 10000 };

struct admin_server {
    struct loop *loop;
    const struct admin_events *events;
    void *context;
    struct MHD_Daemon *daemon;
    struct list waiting;     /* exchanges that are answered later */
    ev_io active;            /* the daemon's own epoll descriptor */
    struct deadline timeout; /* until the daemon wants to run again */
    struct deadline rest;
    uint64_t burst_began_ms;
    uint32_t burst_events;
    bool stops;        /* nobody waits from now on */
    char *socket_path; /* of a Unix socket, removed at the end */
};

struct admin_connection {
    struct deadline limit;
    int fd; /* the daemon's */
};

struct admin_exchange {
    struct admin_request request;
    struct list node; /* in `waiting` */
    struct admin_server *server;
    struct MHD_Connection *connection;
    struct MHD_Response *response;
    unsigned status;
    char *body;
    size_t body_bytes;
};

static struct admin_exchange *exchange_of(const struct admin_request *request)
{
    return LIST_ENTRY(request, struct admin_exchange, request);
}

static struct admin_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info->socket_context;
}

/* --- connections --------------------------------------------------------------------------- */

/* The daemon finds the end of the stream, and closes. */
static void on_limit(struct deadline *deadline)
{
    shutdown(LIST_ENTRY(deadline, struct admin_connection, limit)->fd, SHUT_RDWR);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **ret_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct admin_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct admin_connection *closed = *ret_context;
        deadline_stop(&closed->limit);
        free(closed);
        return;
    }
    struct admin_connection *begun = memory_zalloc(sizeof(*begun));
    begun->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    deadline_init(&begun->limit, on_limit);
    deadline_start(server->loop, &begun->limit, REQUEST_LIMIT_MS);
    *ret_context = begun;
}

/* --- requests ------------------------------------------------------------------------------ */

/* What a client announces is not waited for when it is too much. */
static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes;
    return length != NULL && !strview_to_u64(strview_of(length), ADMIN_BODY_BYTES_MAX, &bytes);
}

static struct admin_exchange *begin_exchange(struct admin_server *server,
                                             struct MHD_Connection *connection, const char *url,
                                             const char *method)
{
    struct admin_exchange *exchange = memory_zalloc(sizeof(*exchange));
    exchange->request.method = strview_of(method);
    exchange->request.path = strview_of(url);
    exchange->request.has_too_long_body = announces_too_much(connection);
    exchange->server = server;
    exchange->connection = connection;
    list_init(&exchange->node);
    server->events->on_head(server->context, &exchange->request);
    return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct admin_server *server = context;
    struct admin_exchange *exchange = *state;
    if (exchange == NULL)
        return;
    deadline_start(server->loop, &connection_of(connection)->limit, REQUEST_LIMIT_MS);
    list_remove(&exchange->node);
    if (exchange->response != NULL)
        MHD_destroy_response(exchange->response);
    free(exchange->body);
    free(exchange);
    *state = NULL;
}

static void take_body(struct admin_exchange *exchange, const char *bytes, size_t length)
{
    struct admin_request *request = &exchange->request;
    if (exchange->response != NULL || request->has_too_long_body)
        return;
    if (length > ADMIN_BODY_BYTES_MAX - exchange->body_bytes) {
        request->has_too_long_body = true;
        return;
    }
    exchange->body = memory_realloc(exchange->body, exchange->body_bytes + length);
    memcpy(exchange->body + exchange->body_bytes, bytes, length);
    exchange->body_bytes += length;
    request->body = strview_make(exchange->body, exchange->body_bytes);
}

static enum MHD_Result send_answer(struct admin_exchange *exchange)
{
    return MHD_queue_response(exchange->connection, exchange->status, exchange->response);
}

/* The answer comes later; until then this connection waits for us and not we for it. */
static void wait_for_answer(struct admin_exchange *exchange)
{
    exchange->request.is_waited_for = true;
    list_append(&exchange->server->waiting, &exchange->node);
    deadline_stop(&connection_of(exchange->connection)->limit);
    MHD_suspend_connection(exchange->connection);
}

/* Nobody knows any more what becomes of an order. */
static void reply_unavailable(struct admin_exchange *exchange)
{
    static const struct strview problem =
        STRVIEW("{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
                "\"detail\":\"this process ends and answers no more; `strangler status` and "
                "`strangler history` say what was done, when the proxy is there again\"}\n");
    admin_reply_take(&exchange->request, &(struct admin_answer){
                                             .status = MHD_HTTP_SERVICE_UNAVAILABLE,
                                             .content_type = "application/problem+json",
                                             .body = memory_strndup(problem.data, problem.length),
                                             .body_bytes = problem.length,
                                         });
}

static enum MHD_Result on_bytes(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *bytes,
                                size_t *length, void **state)
{
    (void)version;
    struct admin_server *server = context;
    struct admin_exchange *exchange = *state;
    if (exchange == NULL) { /* the head alone; the answer waits for the rest, if that is bounded */
        *state = exchange = begin_exchange(server, connection, url, method);
        bool at_once = exchange->response != NULL && exchange->request.has_too_long_body;
        return at_once ? send_answer(exchange) : MHD_YES;
    }
    if (*length > 0) {
        take_body(exchange, bytes, *length);
        *length = 0;
        return MHD_YES;
    }
    if (exchange->response == NULL && server->stops)
        reply_unavailable(exchange);
    else if (exchange->response == NULL)
        server->events->on_request(server->context, &exchange->request);
    if (exchange->response != NULL)
        return send_answer(exchange);
    wait_for_answer(exchange);
    return MHD_YES;
}

const char *admin_request_field(const struct admin_request *request, const char *name)
{
    return MHD_lookup_connection_value(exchange_of(request)->connection, MHD_HEADER_KIND, name);
}

const char *admin_request_parameter(const struct admin_request *request, const char *name)
{
    return MHD_lookup_connection_value(exchange_of(request)->connection, MHD_GET_ARGUMENT_KIND,
                                       name);
}

void admin_reply_take(struct admin_request *request, const struct admin_answer *answer)
{
    struct admin_exchange *exchange = exchange_of(request);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body_bytes, answer->body, MHD_RESPMEM_MUST_FREE);
    CHECK(response != NULL && exchange->response == NULL);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (answer->allow != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    if (answer->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    exchange->response = response;
    exchange->status = (unsigned)answer->status;
    if (!request->is_waited_for)
        return;
    list_remove(&exchange->node);
    deadline_start(exchange->server->loop, &connection_of(exchange->connection)->limit,
                   REQUEST_LIMIT_MS);
    MHD_resume_connection(exchange->connection); /* the daemon asks again, and is answered */
    deadline_start(exchange->server->loop, &exchange->server->timeout, 1); /* not by a heartbeat */
}

/* --- in the loop --------------------------------------------------------------------------- */

static void run_daemon(struct admin_server *server)
{
    MHD_run(server->daemon);
    /* Never without a timer: a daemon that ran out of descriptors, or of its own connections,
     * listens again only in a later run, and nothing else may cause one. */
    MHD_UNSIGNED_LONG_LONG timeout_ms = HEARTBEAT_MS;
    bool at_once = MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0;
    deadline_start(server->loop, &server->timeout, at_once ? 1 : HEARTBEAT_MS);
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

/* --- begin and end ------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct admin_server *server, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_bytes, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
}

/* A Unix socket is for its owner alone, from its first moment on. */
static int listen_on(const struct address *address)
{
    mode_t mask = umask(0177);
    int fd = socket_listen(address, BACKLOG, false);
    umask(mask);
    return fd;
}

struct admin_server *admin_server_new(struct loop *loop, const struct address *address,
                                      const struct admin_events *events, void *context,
                                      struct fault *fault)
{
    char text[ADDRESS_TEXT_BYTES];
    int fd = listen_on(address);
    if (fd < 0) {
        fault_set(fault, "cannot listen on the admin address %s: %s", address_format(address, text),
                  strerror(errno));
        return NULL;
    }
    struct admin_server *server = memory_zalloc(sizeof(*server));
    server->loop = loop;
    server->events = events;
    server->context = context;
    list_init(&server->waiting);
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

/* The daemon cannot end while a connection is suspended; what comes in its last run does not wait.
 */
static void forget_waiting(struct admin_server *server)
{
    server->stops = true;
    while (!list_is_empty(&server->waiting)) {
        struct admin_exchange *exchange =
            LIST_ENTRY(server->waiting.next, struct admin_exchange, node);
        server->events->on_forgotten(server->context, &exchange->request);
        if (exchange->response == NULL)
            reply_unavailable(exchange);
    }
    MHD_run(server->daemon);
}

/* What stands there by now may be something else. */
static void remove_socket(const struct admin_server *server)
{
    struct stat file;
    if (server->socket_path != NULL && lstat(server->socket_path, &file) == 0 &&
        S_ISSOCK(file.st_mode))
        unlink(server->socket_path);
}

void admin_server_free(struct admin_server *server)
{
    if (server == NULL)
        return;
    if (ev_is_active(&server->active))
        ev_io_stop(server->loop->ev, &server->active);
    deadline_stop(&server->timeout);
    deadline_stop(&server->rest);
    remove_socket(server); /* while nobody else can have bound it */
    if (server->daemon != NULL) {
        forget_waiting(server);
        MHD_stop_daemon(server->daemon);
    }
    free(server->socket_path);
    free(server);
}
