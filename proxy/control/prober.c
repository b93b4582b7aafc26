#include "proxy/control/prober.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "proxy/control/probe.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/worker/mailbox.h"

/* Answers to probes are small, and few at once. */
enum { BODY_BUDGET_BYTES = 1024 * 1024 };

struct prober {
    pthread_t thread;
    struct mailbox mailbox;
    struct probe_environment environment;
    struct snapshot *snapshot; /* one reference; NULL before the first */
    struct probe **probes;     /* by endpoint id; NULL: never named */
    uint32_t probe_count;
    struct deadline next;
};

/* --- in its own thread ----------------------------------------------------------------------- */

static void run_probes(struct prober *prober)
{
    struct loop *loop = &prober->environment.io.loop;
    uint64_t next_ms = UINT64_MAX;
    for (uint32_t i = 0; i < prober->probe_count; i++) {
        uint64_t wanted_ms = prober->probes[i] != NULL ? probe_run(prober->probes[i]) : UINT64_MAX;
        next_ms = wanted_ms < next_ms ? wanted_ms : next_ms;
    }
    if (next_ms == UINT64_MAX)
        deadline_stop(&prober->next);
    else
        deadline_start(loop, &prober->next, next_ms > loop->now_ms ? next_ms - loop->now_ms : 1);
}

static void on_next(struct deadline *deadline)
{
    run_probes(LIST_ENTRY(deadline, struct prober, next));
}

static struct probe *probe_of(struct prober *prober, struct endpoint_state *endpoint)
{
    if (endpoint->id >= prober->probe_count) {
        uint32_t count = endpoint->id + 1;
        prober->probes = memory_realloc(prober->probes, count * sizeof(*prober->probes));
        for (uint32_t i = prober->probe_count; i < count; i++)
            prober->probes[i] = NULL;
        prober->probe_count = count;
    }
    struct probe **slot = &prober->probes[endpoint->id];
    if (*slot == NULL)
        *slot = probe_new(&prober->environment, endpoint);
    return *slot;
}

/* The backends by the ids of their endpoints. The caller frees the list. */
static const struct backend **list_backends(struct prober *prober)
{
    const struct snapshot *snapshot = prober->snapshot;
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        const struct endpoint_set *set = backend_endpoints(&snapshot->backends[i]);
        for (uint32_t k = 0; k < set->count; k++)
            probe_of(prober, set->slots[k].state);
    }
    const struct backend **list = memory_zalloc(prober->probe_count * sizeof(*list));
    for (uint32_t i = 0; i < snapshot->backend_count; i++) {
        const struct endpoint_set *set = backend_endpoints(&snapshot->backends[i]);
        for (uint32_t k = 0; k < set->count; k++)
            list[set->slots[k].state->id] = &snapshot->backends[i];
    }
    return list;
}

static void run_update(void *receiver, void *argument)
{
    struct prober *prober = receiver;
    struct snapshot *old = prober->snapshot;
    prober->snapshot = snapshot_ref(argument);
    const struct backend **backends = list_backends(prober);
    for (uint32_t i = 0; i < prober->probe_count; i++) {
        if (prober->probes[i] != NULL)
            probe_set_backend(prober->probes[i], backends[i]);
    }
    free(backends);
    snapshot_unref(old);
    run_probes(prober);
}

static void run_stop(void *receiver, void *argument)
{
    (void)argument;
    struct prober *prober = receiver;
    loop_break(&prober->environment.io.loop);
}

static void on_wake(struct loop *loop)
{
    struct prober *prober = LIST_ENTRY(loop, struct prober, environment.io.loop);
    mailbox_run_all(&prober->mailbox, prober);
}

static void *run_prober(void *argument)
{
    struct prober *prober = argument;
    loop_run(&prober->environment.io.loop);
    deadline_stop(&prober->next);
    for (uint32_t i = 0; i < prober->probe_count; i++) {
        if (prober->probes[i] != NULL)
            probe_free(prober->probes[i]);
    }
    free(prober->probes);
    backend_pools_done(&prober->environment.pools);
    snapshot_unref(prober->snapshot);
    return NULL;
}

/* --- in control's thread --------------------------------------------------------------------- */

static void call(struct prober *prober, void (*run)(void *receiver, void *argument), void *argument)
{
    sem_t done;
    CHECK(sem_init(&done, 0, 0) == 0);
    struct mail mail = {.run = run, .argument = argument, .done = &done};
    mailbox_post(&prober->mailbox, &mail);
    while (sem_wait(&done) != 0)
        ; /* a signal; go on waiting */
    sem_destroy(&done);
}

struct prober *prober_start(uint64_t seed)
{
    struct prober *prober = memory_zalloc(sizeof(*prober));
    struct probe_environment *environment = &prober->environment;
    io_init(&environment->io);
    environment->io.loop.on_wake = on_wake;
    environment->random = seed | 1;
    backend_pools_init(&environment->pools, &environment->io, BODY_BUDGET_BYTES);
    environment->pools.unlimited = true;
    mailbox_init(&prober->mailbox, &environment->io.loop);
    deadline_init(&prober->next, on_next);

    /* Signals are control's business. */
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    CHECK(pthread_create(&prober->thread, NULL, run_prober, prober) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return prober;
}

void prober_update(struct prober *prober, struct snapshot *snapshot)
{
    if (prober == NULL)
        return;
    call(prober, run_update, snapshot);
}

void prober_stop(struct prober *prober)
{
    if (prober == NULL)
        return;
    call(prober, run_stop, NULL);
    pthread_join(prober->thread, NULL);
    mailbox_done(&prober->mailbox);
    io_done(&prober->environment.io);
    free(prober);
}
