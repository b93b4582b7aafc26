#include "proxy/client/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/net/socket.h"

/* Connections taken before other work has its turn; how long to rest when descriptors run out. */
enum { ACCEPTS_A_TURN = 16, PAUSE_MS = 100 };

struct listener {
    struct client_environment *environment;
    ev_io acceptable;
    struct deadline pause;
    int fd;
    char *address_text;
    struct tls_context *tls;
};

static struct loop *loop_of(const struct listener *listener)
{
    return &listener->environment->exchanges->io->loop;
}

/* Neither spins nor dies when descriptors or memory run out: rests, then goes on. */
static void pause_accepting(struct listener *listener)
{
    ev_io_stop(loop_of(listener)->ev, &listener->acceptable);
    deadline_start(loop_of(listener), &listener->pause, PAUSE_MS);
}

static void on_pause_over(struct deadline *deadline)
{
    struct listener *listener = LIST_ENTRY(deadline, struct listener, pause);
    ev_io_start(loop_of(listener)->ev, &listener->acceptable);
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

static void on_acceptable(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct listener *listener = watcher->data;
    for (int accepted = 0; accepted < ACCEPTS_A_TURN; accepted++) {
        if (is_full(listener)) {
            pause_accepting(listener);
            return;
        }
        struct address client;
        int fd = socket_accept(listener->fd, &client);
        if (fd >= 0) {
            client_connection_accept_take(listener->environment, fd, &client, listener->tls);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(listener);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

struct listener *listener_new_take(struct client_environment *environment, int fd,
                                   const struct listener_config *config)
{
    struct listener *listener = memory_zalloc(sizeof(*listener));
    listener->environment = environment;
    listener->fd = fd;
    listener->address_text = memory_strndup(config->address_text.data, config->address_text.length);
    deadline_init(&listener->pause, on_pause_over);
    listener_update(listener, config);
    ev_io_init(&listener->acceptable, on_acceptable, fd, EV_READ);
    listener->acceptable.data = listener;
    ev_io_start(loop_of(listener)->ev, &listener->acceptable);
    return listener;
}

void listener_update(struct listener *listener, const struct listener_config *config)
{
    tls_context_unref(listener->tls);
    listener->tls = config->tls != NULL ? tls_context_ref(config->tls) : NULL;
}

struct strview listener_address(const struct listener *listener)
{
    return strview_of(listener->address_text);
}

void listener_free(struct listener *listener)
{
    ev_io_stop(loop_of(listener)->ev, &listener->acceptable);
    deadline_stop(&listener->pause);
    close(listener->fd);
    tls_context_unref(listener->tls);
    free(listener->address_text);
    free(listener);
}
