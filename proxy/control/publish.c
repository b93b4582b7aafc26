#include "proxy/control/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/core/array.h"
#include "proxy/core/log.h"
#include "proxy/net/socket.h"

enum { LISTEN_BACKLOG = 4096 };

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

static bool is_local(const struct address *address)
{
    return address->socket.any.sa_family == AF_UNIX;
}

/* For one address: element 0 of each worker's row. */
struct opening {
    struct listener_sockets *rows;
    size_t stride;
    uint32_t workers;
};

/* One socket a worker (SO_REUSEPORT), so that the kernel spreads connections. */
static bool open_for_each(const struct opening *opening, const struct address *address)
{
    if (!try_alone(address))
        return false;
    for (uint32_t worker = 0; worker < opening->workers; worker++) {
        int fd = socket_listen(address, LISTEN_BACKLOG, true);
        if (fd < 0)
            return false;
        listener_sockets_add(&opening->rows[worker * opening->stride], fd);
    }
    return true;
}

/*
 * Takes the sockets. Whatever the numbers, each is accepted from and each worker has one: what one
 * worker alone would not do, several do with descriptors of the same socket.
 */
static bool deal_out_take(const struct opening *opening, struct listener_sockets *sockets)
{
    size_t count = sockets->count > opening->workers ? sockets->count : opening->workers;
    size_t given = sockets->count;
    for (size_t i = given; i < count; i++) {
        int fd = fcntl(sockets->fds[i % given], F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            listener_sockets_close(sockets);
            return false;
        }
        listener_sockets_add(sockets, fd);
    }
    for (size_t i = 0; i < count; i++)
        listener_sockets_add(&opening->rows[i % opening->workers * opening->stride],
                             sockets->fds[i]);
    free(sockets->fds);
    *sockets = (struct listener_sockets){.count = 0};
    return true;
}

/* A Unix socket has one file, so the workers accept from one and the same socket. */
static bool open_for_all(const struct opening *opening, const struct address *address)
{
    struct listener_sockets sockets = {.count = 0};
    int fd = socket_listen(address, LISTEN_BACKLOG, false);
    if (fd < 0)
        return false;
    listener_sockets_add(&sockets, fd);
    return deal_out_take(opening, &sockets);
}

static bool open_one(struct publisher *publisher, const struct opening *opening,
                     const struct address *address)
{
    struct listener_sockets inherited = {.count = 0};
    inherited_sockets_take(&publisher->inherited, address, &inherited);
    if (inherited.count > 0)
        return deal_out_take(opening, &inherited);
    return is_local(address) ? open_for_all(opening, address) : open_for_each(opening, address);
}

static bool open_sockets(struct publisher *publisher, const struct snapshot *snapshot,
                         struct listener_sockets *rows, struct fault *fault)
{
    struct opening opening = {.stride = snapshot->listener_count,
                              .workers = publisher->worker_count};
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        const struct listener_config *listener = &snapshot->listeners[i];
        if (has_listener(publisher->current, listener->address_text))
            continue;
        opening.rows = rows + i;
        if (!open_one(publisher, &opening, &listener->address))
            return fault_set(fault, "cannot listen on %.*s (listener `%.*s`): %s",
                             STRVIEW_ARGS(listener->address_text), STRVIEW_ARGS(listener->name),
                             strerror(errno));
    }
    return true;
}

/* What has changed about listening: said, and the files of Unix sockets that are gone removed. */
static void compare_listeners(const struct publisher *publisher, const struct snapshot *new)
{
    const struct snapshot *old = publisher->current;
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
        if (is_local(&listener->address) &&
            !inherited_sockets_keep_file(&publisher->inherited, &listener->address))
            unlink(listener->address.socket.local.sun_path);
        log_info("not listening on %.*s any more", STRVIEW_ARGS(listener->address_text));
    }
}

/* --- publishing ---------------------------------------------------------------------------- */

bool publisher_publish_take(struct publisher *publisher, struct snapshot *snapshot,
                            struct fault *fault)
{
    size_t count = (size_t)publisher->worker_count * snapshot->listener_count;
    struct listener_sockets *rows = memory_zalloc(count * sizeof(*rows));
    if (!open_sockets(publisher, snapshot, rows, fault)) {
        for (size_t i = 0; i < count; i++)
            listener_sockets_close(&rows[i]);
        free(rows);
        snapshot_unref(snapshot);
        return false;
    }
    bool others = publisher->current == NULL || publisher->current->backends != snapshot->backends;
    if (others)
        names_fill(publisher->names, snapshot);
    for (uint32_t i = 0; i < publisher->worker_count; i++)
        worker_publish(publisher->workers[i], snapshot, rows + i * snapshot->listener_count);
    free(rows);
    inherited_sockets_report(&publisher->inherited);
    compare_listeners(publisher, snapshot);
    snapshot_unref(publisher->current);
    publisher->current = snapshot;
    if (!others)
        return true;
    prober_update(publisher->prober, snapshot);
    names_publish(publisher->names, snapshot);
    return true;
}

void publisher_done(struct publisher *publisher)
{
    if (!publisher->handed_over)
        compare_listeners(publisher, NULL);
    inherited_sockets_done(&publisher->inherited);
    snapshot_unref(publisher->current);
    publisher->current = NULL;
}
