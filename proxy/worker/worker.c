#include "proxy/worker/worker.h"

#include <signal.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"

/* What answers on their way to slow clients may hold together, beyond their first windows. */
enum { BODY_BUDGET_BYTES = 64 * 1024 * 1024 };

struct worker {
    pthread_t thread;
    struct io io;
    struct mailbox mailbox;
    struct backend_pools pools;
    struct shadow_environment shadows;
    struct exchange_environment exchanges;
    struct client_environment clients;
    struct listener **listeners;
    size_t listener_count;
    struct loop *control;
    _Atomic bool idle;
};

/* --- in the worker's thread ---------------------------------------------------------------- */

static void run_count_backends(void *receiver, void *argument)
{
    struct worker *worker = receiver;
    backend_pools_count(&worker->pools, argument);
}

static void tell_when_idle(struct client_environment *clients)
{
    struct worker *worker = LIST_ENTRY(clients, struct worker, clients);
    if (!clients->draining || clients->connection_count > 0)
        return;
    atomic_store_explicit(&worker->idle, true, memory_order_release);
    loop_wake(worker->control);
}

struct publication {
    struct snapshot *snapshot;
    struct listener_sockets *sockets;
};

static struct listener *take_listener(struct worker *worker, struct strview address)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        struct listener *listener = worker->listeners[i];
        if (listener != NULL && strview_equal(listener_address(listener), address)) {
            worker->listeners[i] = NULL;
            return listener;
        }
    }
    return NULL;
}

static void free_listeners(struct worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        if (worker->listeners[i] != NULL)
            listener_free(worker->listeners[i]);
    }
    free(worker->listeners);
    worker->listeners = NULL;
    worker->listener_count = 0;
}

/* Who has connected, and may have sent a request already, is served; closing would reset it. */
static void end_listeners(struct worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        if (worker->listeners[i] != NULL)
            listener_accept_waiting(worker->listeners[i]);
    }
    free_listeners(worker);
}

/* Keeps the listeners that go on, opens new ones, ends the others. */
static void replace_listeners(struct worker *worker, const struct publication *publication)
{
    const struct snapshot *snapshot = publication->snapshot;
    struct listener **listeners =
        memory_zalloc(snapshot->listener_count * sizeof(struct listener *));
    for (uint32_t i = 0; i < snapshot->listener_count; i++) {
        const struct listener_config *config = &snapshot->listeners[i];
        if (publication->sockets[i].count > 0) {
            listeners[i] = listener_new_take(&worker->clients, &publication->sockets[i], config);
        } else {
            listeners[i] = take_listener(worker, config->address_text);
            CHECK(listeners[i] != NULL);
            listener_update(listeners[i], config);
        }
    }
    end_listeners(worker);
    worker->listeners = listeners;
    worker->listener_count = snapshot->listener_count;
}

static void run_leave_endpoints(void *receiver, void *argument)
{
    struct worker *worker = receiver;
    const struct snapshot *snapshot = argument;
    backend_pools_retire(&worker->pools, snapshot->backends, snapshot->backend_count);
    backend_pools_retire(&worker->shadows.pools, snapshot->backends, snapshot->backend_count);
}

static void run_publish(void *receiver, void *argument)
{
    struct worker *worker = receiver;
    const struct publication *publication = argument;
    struct snapshot_lease *old = worker->exchanges.lease;
    worker->exchanges.lease =
        snapshot_lease_new_take(snapshot_ref(publication->snapshot), &worker->exchanges.leases);
    if (!worker->clients.draining) /* without listeners, but modules may still change */
        replace_listeners(worker, publication);
    if (old != NULL)
        snapshot_lease_retire(old);
    run_leave_endpoints(worker, publication->snapshot);
    exchange_resume_waiting(&worker->exchanges);
    exchange_review_tunnels(&worker->exchanges);
}

struct write_count {
    struct strview module;
    uint32_t writes;
};

static void run_count_writes(void *receiver, void *argument)
{
    struct worker *worker = receiver;
    struct write_count *count = argument;
    count->writes = snapshot_leases_count_writes(&worker->exchanges.leases, count->module);
}

struct socket_copies {
    struct listener_sockets *sockets;
    bool complete;
};

static void run_copy_sockets(void *receiver, void *argument)
{
    struct worker *worker = receiver;
    struct socket_copies *copies = argument;
    copies->complete = true;
    for (size_t i = 0; copies->complete && i < worker->listener_count; i++)
        copies->complete = listener_copy_sockets(worker->listeners[i], copies->sockets);
}

static void run_drain(void *receiver, void *argument)
{
    (void)argument;
    struct worker *worker = receiver;
    end_listeners(worker);
    shadow_environment_shed(&worker->shadows);
    client_connections_drain(&worker->clients);
    tell_when_idle(&worker->clients);
}

static void run_stop(void *receiver, void *argument)
{
    (void)argument;
    struct worker *worker = receiver;
    free_listeners(worker);
    client_connections_close_all(&worker->clients);
    loop_break(&worker->io.loop);
}

static void on_wake(struct loop *loop)
{
    struct worker *worker = LIST_ENTRY(loop, struct worker, io.loop);
    mailbox_run_all(&worker->mailbox, worker);
    shadow_environment_receive(&worker->shadows);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    loop_run(&worker->io.loop);
    /* Connections that were closed in the last turn end their exchanges here. */
    loop_run_tasks(&worker->io.loop);
    CHECK(worker->exchanges.live == 0);
    shadow_environment_stop(&worker->shadows);
    loop_run_tasks(&worker->io.loop);
    shadow_environment_done(&worker->shadows);
    backend_pools_done(&worker->pools);
    if (worker->exchanges.lease != NULL)
        snapshot_lease_retire(worker->exchanges.lease);
    return NULL;
}

/* --- in control's thread ------------------------------------------------------------------- */

static void call(struct worker *worker, void (*run)(void *receiver, void *argument), void *argument)
{
    sem_t done;
    CHECK(sem_init(&done, 0, 0) == 0);
    struct mail mail = {.run = run, .argument = argument, .done = &done};
    mailbox_post(&worker->mailbox, &mail);
    while (sem_wait(&done) != 0)
        ; /* a signal; go on waiting */
    sem_destroy(&done);
}

struct worker *worker_start(const struct worker_options *options)
{
    struct worker *worker = memory_zalloc(sizeof(*worker));
    io_init(&worker->io);
    worker->io.loop.on_wake = on_wake;
    mailbox_init(&worker->mailbox, &worker->io.loop);
    backend_pools_init(&worker->pools, &worker->io, BODY_BUDGET_BYTES);
    worker->exchanges = (struct exchange_environment){
        .io = &worker->io,
        .pools = &worker->pools,
        .shadows = &worker->shadows,
        .scratch = match_scratch_new(),
        .metrics = options->metrics,
        .log = options->log,
    };
    shadow_environment_init(&worker->shadows, &worker->io);
    worker->shadows.metrics = options->metrics;
    worker->shadows.budget = options->shadow_budget;
    worker->shadows.judge = options->judge;
    list_init(&worker->exchanges.leases);
    list_init(&worker->exchanges.waiting);
    list_init(&worker->exchanges.tunnels);
    entropy_init(&worker->exchanges.entropy);
    retry_budget_init(&worker->exchanges.retries);
    worker->clients.exchanges = &worker->exchanges;
    worker->clients.total_connections = options->total_connections;
    worker->clients.counts = options->counts;
    worker->clients.pauses = options->pauses;
    worker->clients.descriptor_limit = options->descriptor_limit;
    worker->clients.on_connection_closed = tell_when_idle;
    list_init(&worker->clients.connections);
    worker->control = options->control;

    /* Signals are control's business. */
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    CHECK(pthread_create(&worker->thread, NULL, run_worker, worker) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return worker;
}

void worker_publish(struct worker *worker, struct snapshot *snapshot,
                    struct listener_sockets *sockets)
{
    struct publication publication = {snapshot, sockets};
    call(worker, run_publish, &publication);
}

void worker_leave_endpoints(struct worker *worker, struct snapshot *snapshot)
{
    call(worker, run_leave_endpoints, snapshot);
}

void worker_count_backends(struct worker *worker, struct backend_census *census)
{
    call(worker, run_count_backends, census);
}

uint32_t worker_count_writes(struct worker *worker, struct strview module)
{
    struct write_count count = {.module = module};
    call(worker, run_count_writes, &count);
    return count.writes;
}

bool worker_copy_sockets(struct worker *worker, struct listener_sockets *sockets)
{
    struct socket_copies copies = {.sockets = sockets};
    call(worker, run_copy_sockets, &copies);
    return copies.complete;
}

void worker_drain(struct worker *worker)
{
    call(worker, run_drain, NULL);
}

bool worker_is_idle(const struct worker *worker)
{
    return atomic_load_explicit(&worker->idle, memory_order_acquire);
}

void worker_stop(struct worker *worker)
{
    call(worker, run_stop, NULL);
    pthread_join(worker->thread, NULL);
    mailbox_done(&worker->mailbox);
    match_scratch_free(worker->exchanges.scratch);
    io_done(&worker->io);
    free(worker);
}
