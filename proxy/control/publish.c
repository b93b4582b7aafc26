#include "proxy/control/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/net/socket.h"

enum { LISTEN_BACKLOG = 4096, NO_FD = -1 };

/* --- counters ------------------------------------------------------------------------------ */

static void number_route(struct metrics_registry *metrics, struct arena *arena,
                         struct route_info *info)
{
    for (int side = 0; side < SIDE_COUNT; side++) {
        struct strview name = side_name((enum side)side);
        struct strview labels =
            arena_printf(arena, "module=\"%.*s\",route=\"%.*s\",side=\"%.*s\"",
                         STRVIEW_ARGS(info->module), STRVIEW_ARGS(info->name), STRVIEW_ARGS(name));
        struct strview module_labels = arena_printf(arena, "module=\"%.*s\",side=\"%.*s\"",
                                                    STRVIEW_ARGS(info->module), STRVIEW_ARGS(name));
        info->metrics[side] = (struct route_metrics){
            .requests = metrics_registry_block(metrics, METRIC_REQUESTS, labels),
            .duration = metrics_registry_block(metrics, METRIC_REQUEST_DURATION, labels),
            .decisions = metrics_registry_block(metrics, METRIC_DECISIONS, module_labels),
        };
    }
}

static void number_backend(struct metrics_registry *metrics, struct arena *arena,
                           struct backend *backend)
{
    struct strview name = arena_printf(arena, "backend=\"%.*s\"", STRVIEW_ARGS(backend->name));
    struct strview first = arena_printf(arena, "%.*s,phase=\"first_byte\"", STRVIEW_ARGS(name));
    struct strview total = arena_printf(arena, "%.*s,phase=\"total\"", STRVIEW_ARGS(name));
    backend->metrics = (struct backend_metrics){
        .errors = metrics_registry_block(metrics, METRIC_BACKEND_ERRORS, name),
        .first_byte = metrics_registry_block(metrics, METRIC_BACKEND_DURATION, first),
        .total = metrics_registry_block(metrics, METRIC_BACKEND_DURATION, total),
    };
}

static void number_shadow(struct metrics_registry *metrics, struct arena *arena,
                          struct shadow_policy *policy)
{
    struct strview module = arena_printf(arena, "module=\"%.*s\"", STRVIEW_ARGS(policy->module));
    policy->metrics = (struct shadow_metrics){
        .sampled = metrics_registry_block(metrics, METRIC_SHADOW_SAMPLED, module),
        .sent = metrics_registry_block(metrics, METRIC_SHADOW_SENT, module),
        .dropped = metrics_registry_block(metrics, METRIC_SHADOW_DROPPED, module),
        .verdicts = metrics_registry_block(metrics, METRIC_COMPARE, module),
        .delta = metrics_registry_block(metrics, METRIC_PAIR_DELTA, module),
        .duration = metrics_registry_block(metrics, METRIC_SHADOW_DURATION, module),
    };
}

/* Names in the configuration are letters, digits, '-' and '_': nothing to escape. */
void snapshot_number(struct snapshot *snapshot, struct metrics_registry *metrics,
                     struct shadow_registry *shadows)
{
    struct arena arena;
    arena_init(&arena, NULL);
    snapshot->unrouted.name = STRVIEW("default");
    snapshot->rejected.name = STRVIEW("rejected");
    number_route(metrics, &arena, &snapshot->unrouted);
    number_route(metrics, &arena, &snapshot->rejected);
    for (uint32_t i = 0; i < CONNECTION_PROTOCOLS; i++) {
        struct strview name = connection_protocol_name((enum connection_protocol)i);
        struct strview labels = arena_printf(&arena, "protocol=\"%.*s\"", STRVIEW_ARGS(name));
        snapshot->client_faults[i] = metrics_registry_block(metrics, METRIC_CLIENT_FAULTS, labels);
    }
    for (uint32_t i = 0; i < snapshot->route_count; i++)
        number_route(metrics, &arena, &snapshot->route_infos[i]);
    for (uint32_t i = 0; i < snapshot->backend_count; i++)
        number_backend(metrics, &arena, &snapshot->backends[i]);
    for (uint32_t i = 0; i < snapshot->modules->count; i++) {
        struct shadow_policy *policy = &snapshot->shadows[i];
        if (snapshot->modules->modules[i].shadow_threshold > 0)
            number_shadow(metrics, &arena, policy);
        policy->state = shadow_registry_get(shadows, policy->module);
    }
    arena_done(&arena);
}

void snapshot_share_tickets(struct snapshot *snapshot, struct tls_tickets *tickets)
{
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        if (snapshot->listeners[i].tls != NULL)
            tls_context_use_tickets(snapshot->listeners[i].tls, tickets);
    }
}

/* --- sockets ------------------------------------------------------------------------------- */

static bool has_listener(const struct snapshot *snapshot, struct strview address_text)
{
    for (uint32_t i = 0; snapshot != NULL && i < snapshot->listener_count; i++) {
        if (strview_equal(snapshot->listeners[i].address_text, address_text))
            return true;
    }
    return false;
}

static void close_sockets(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] != NO_FD)
            close(fds[i]);
    }
}

/*
 * Is the address ours alone? Sockets that share a port would let a second proxy run beside this one
 * and take half of its connections, so the first socket is opened without sharing, as a trial.
 */
static bool try_alone(const struct address *address)
{
    int fd = socket_listen(address, 1, false);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* One socket a worker (SO_REUSEPORT), so that the kernel spreads connections. */
static bool open_for_each(const struct publisher *publisher, const struct address *address,
                          int *fds, size_t stride)
{
    if (!try_alone(address))
        return false;
    for (uint32_t worker = 0; worker < publisher->worker_count; worker++) {
        fds[worker * stride] = socket_listen(address, LISTEN_BACKLOG, true);
        if (fds[worker * stride] < 0)
            return false;
    }
    return true;
}

/* A Unix socket has one file, so the workers accept from one and the same socket. */
static bool open_for_all(const struct publisher *publisher, const struct address *address, int *fds,
                         size_t stride)
{
    fds[0] = socket_listen(address, LISTEN_BACKLOG, false);
    for (uint32_t worker = 1; fds[0] >= 0 && worker < publisher->worker_count; worker++) {
        fds[worker * stride] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
        if (fds[worker * stride] < 0)
            return false;
    }
    return fds[0] >= 0;
}

static bool is_local(const struct address *address)
{
    return address->socket.any.sa_family == AF_UNIX;
}

static bool open_sockets(const struct publisher *publisher, const struct snapshot *snapshot,
                         int *fds, struct fault *fault)
{
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        const struct listener_config *listener = &snapshot->listeners[i];
        if (has_listener(publisher->current, listener->address_text))
            continue;
        size_t stride = snapshot->listener_count;
        bool good = is_local(&listener->address)
                        ? open_for_all(publisher, &listener->address, fds + i, stride)
                        : open_for_each(publisher, &listener->address, fds + i, stride);
        if (!good)
            return fault_set(fault, "cannot listen on %.*s (listener `%.*s`): %s",
                             STRVIEW_ARGS(listener->address_text), STRVIEW_ARGS(listener->name),
                             strerror(errno));
    }
    return true;
}

/* What has changed about listening: said, and the files of Unix sockets that are gone removed. */
static void compare_listeners(const struct snapshot *old, const struct snapshot *new)
{
    for (uint32_t i = 0; new != NULL &&i < new->listener_count; i++) {
        const struct listener_config *listener = &new->listeners[i];
        if (!has_listener(old, listener->address_text))
            log_info("listening on %.*s (%s)", STRVIEW_ARGS(listener->address_text),
                     listener->tls != NULL ? "TLS" : "in clear");
    }
    for (uint32_t i = 0; old != NULL && i < old->listener_count; i++) {
        const struct listener_config *listener = &old->listeners[i];
        if (has_listener(new, listener->address_text))
            continue;
        if (is_local(&listener->address))
            unlink(listener->address.socket.local.sun_path);
        log_info("not listening on %.*s any more", STRVIEW_ARGS(listener->address_text));
    }
}

/* --- publishing ---------------------------------------------------------------------------- */

bool publisher_publish_take(struct publisher *publisher, struct snapshot *snapshot,
                            struct fault *fault)
{
    size_t fd_count = (size_t)publisher->worker_count * snapshot->listener_count;
    int *fds = memory_alloc(fd_count * sizeof(*fds));
    for (size_t i = 0; i < fd_count; i++)
        fds[i] = NO_FD;
    if (!open_sockets(publisher, snapshot, fds, fault)) {
        close_sockets(fds, fd_count);
        free(fds);
        snapshot_unref(snapshot);
        return false;
    }
    for (uint32_t i = 0; i < publisher->worker_count; i++)
        worker_publish(publisher->workers[i], snapshot, fds + i * snapshot->listener_count);
    free(fds);
    compare_listeners(publisher->current, snapshot);
    snapshot_unref(publisher->current);
    publisher->current = snapshot;
    return true;
}

void publisher_done(struct publisher *publisher)
{
    compare_listeners(publisher->current, NULL);
    snapshot_unref(publisher->current);
    publisher->current = NULL;
}
