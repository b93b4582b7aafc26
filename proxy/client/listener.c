#include "proxy/client/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/net/socket.h"

/* Connections taken before other work has its turn; those that may wait when a listener ends; how
 * long to rest when descriptors run out. */
enum { ACCEPTS_A_TURN = 16, WAITING_MAX = 4096, PAUSE_MS = 100 };

struct listener {
    struct client_environment *environment;
    struct deadline pause;
    char *address_text;
    struct client_terms terms;
    size_t socket_count;
    ev_io sockets[];
};

/* --- descriptors --------------------------------------------------------------------------- */

void listener_sockets_add(struct listener_sockets *sockets, int fd)
{
    sockets->fds = memory_realloc(sockets->fds, (sockets->count + 1) * sizeof(*sockets->fds));
    sockets->fds[sockets->count++] = fd;
}

void listener_sockets_close(struct listener_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->fds[i]);
    free(sockets->fds);
    *sockets = (struct listener_sockets){.count = 0};
}

/* --- accepting ----------------------------------------------------------------------------- */

static struct loop *loop_of(const struct listener *listener)
{
    return &listener->environment->exchanges->io->loop;
}

static void start_accepting(struct listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++)
        ev_io_start(loop_of(listener)->ev, &listener->sockets[i]);
}

static void stop_accepting(struct listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++)
        ev_io_stop(loop_of(listener)->ev, &listener->sockets[i]);
}

/* Neither spins nor dies when descriptors or memory run out: rests, then goes on. */
static void pause_accepting(struct listener *listener)
{
    stop_accepting(listener);
    deadline_start(loop_of(listener), &listener->pause, PAUSE_MS);
}

static void on_pause_over(struct deadline *deadline)
{
    start_accepting(LIST_ENTRY(deadline, struct listener, pause));
}

/* By limits.connections, or because the rest of the descriptors is for backends. */
static bool is_full(const struct listener *listener)
{
    const struct client_environment *environment = listener->environment;
    uint32_t limit = environment->exchanges->lease->snapshot->limits.connections;
    if (limit > environment->descriptor_limit)
        limit = environment->descriptor_limit;
    return atomic_load_explicit(environment->total_connections, memory_order_relaxed) >= limit;
}

/* False: nobody waits, or nobody else can be taken now. */
static bool accept_next(struct listener *listener, int socket)
{
    if (is_full(listener)) {
        pause_accepting(listener);
        return false;
    }
    struct address client;
    int fd = socket_accept(socket, &client);
    if (fd >= 0) {
        client_connection_accept_take(listener->environment, fd, &client, &listener->terms);
        return true;
    }
    bool gone = errno == EINTR || errno == ECONNABORTED;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_accepting(listener);
    return gone;
}

static void on_acceptable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct listener *listener = watcher->data;
    for (int i = 0; i < ACCEPTS_A_TURN && accept_next(listener, watcher->fd); i++)
        ;
}

void listener_accept_waiting(struct listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        for (int j = 0; j < WAITING_MAX && accept_next(listener, listener->sockets[i].fd); j++)
            ;
    }
}

/* --- life ---------------------------------------------------------------------------------- */

struct listener *listener_new_take(struct client_environment *environment,
                                   struct listener_sockets *sockets,
                                   const struct listener_config *config)
{
    struct listener *listener =
        memory_zalloc(sizeof(*listener) + sockets->count * sizeof(listener->sockets[0]));
    listener->environment = environment;
    listener->address_text = memory_strndup(config->address_text.data, config->address_text.length);
    deadline_init(&listener->pause, on_pause_over);
    listener_update(listener, config);
    for (size_t i = 0; i < sockets->count; i++) {
        ev_io_init(&listener->sockets[i], on_acceptable, sockets->fds[i], EV_READ);
        listener->sockets[i].data = listener;
    }
    listener->socket_count = sockets->count;
    free(sockets->fds);
    *sockets = (struct listener_sockets){.count = 0};
    start_accepting(listener);
    return listener;
}

void listener_update(struct listener *listener, const struct listener_config *config)
{
    tls_context_unref(listener->terms.tls);
    listener->terms = (struct client_terms){
        .tls = config->tls != NULL ? tls_context_ref(config->tls) : NULL,
        .redirect_port = config->redirect_port,
        .hsts_s = config->hsts_s,
    };
}

struct strview listener_address(const struct listener *listener)
{
    return strview_of(listener->address_text);
}

bool listener_copy_sockets(const struct listener *listener, struct listener_sockets *sockets)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        int fd = fcntl(listener->sockets[i].fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return false;
        listener_sockets_add(sockets, fd);
    }
    return true;
}

void listener_free(struct listener *listener)
{
    stop_accepting(listener);
    deadline_stop(&listener->pause);
    for (size_t i = 0; i < listener->socket_count; i++)
        close(listener->sockets[i].fd);
    tls_context_unref(listener->terms.tls);
    free(listener->address_text);
    free(listener);
}
