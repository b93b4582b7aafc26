#include "proxy/control/control.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "proxy/client/client_fault.h"
#include "proxy/control/admin_routes.h"
#include "proxy/control/control_internal.h"
#include "proxy/control/notify.h"
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/core/log.h"

/* What all copies of requests may hold together. */
enum { SHADOW_MEMORY_BYTES = 64 * 1024 * 1024 };

enum { WORKERS_MAX = 256, SPARE_DESCRIPTORS = 64 };

/* --- signals ------------------------------------------------------------------------------- */

static void end(struct control *control)
{
    loop_break(&control->loop);
}

static void stop(struct control *control)
{
    if (control->hand_over.phase != HAND_OVER_DONE)
        notify_stopping();
    end(control);
}

static void stop_if_drained(struct loop *loop)
{
    struct control *control = LIST_ENTRY(loop, struct control, loop);
    if (!control->draining || flip_is_on(&control->flip)) /* it is on its way back */
        return;
    for (uint32_t i = 0; i < control->worker_count; i++) {
        if (!worker_is_idle(control->workers[i]))
            return;
    }
    end(control);
}

static void on_drain_timeout(struct deadline *deadline)
{
    struct control *control = LIST_ENTRY(deadline, struct control, drain);
    log_warning("the drain timeout is over; closing what is left");
    end(control);
}

void control_drain(struct control *control)
{
    if (control->draining)
        return;
    control->draining = true;
    flip_cancel(&control->flip);
    if (control->hand_over.phase != HAND_OVER_DONE)
        notify_stopping();
    for (uint32_t i = 0; i < control->worker_count; i++)
        worker_drain(control->workers[i]);
    log_info("draining"); /* said when it is true: all that comes from now on meets it */
    deadline_start(&control->loop, &control->drain,
                   control->publisher.current->limits.drain_timeout_ms);
    stop_if_drained(&control->loop);
}

/* By a signal: nobody takes over then. */
static void drain(struct control *control)
{
    if (hand_over_is_on(&control->hand_over))
        log_warning("the hand-over is given up");
    if (control->hand_over.phase != HAND_OVER_DONE)
        hand_over_stop(&control->hand_over);
    control_drain(control);
}

static void reopen_logs(struct control *control)
{
    const struct access_log_config *config = &control->publisher.current->access_log;
    struct fault fault;
    if (config->enabled && !access_log_reopen(control->access_log, config->path.data, &fault))
        log_error("%s", fault.text);
}

static const struct {
    int number;
    void (*run)(struct control *control);
} signal_rows[SIGNALS] = {
    {SIGHUP, control_reload}, {SIGTERM, stop},        {SIGINT, stop},
    {SIGQUIT, drain},         {SIGUSR1, reopen_logs}, {SIGUSR2, hand_over_begin},
};

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
    (void)ev, (void)events;
    struct control *control = watcher->data;
    for (int i = 0; i < SIGNALS; i++) {
        if (signal_rows[i].number == watcher->signum)
            signal_rows[i].run(control);
    }
}

static void watch_signals(struct control *control)
{
    signal(SIGPIPE, SIG_IGN); /* a closed socket is an error of write, not our death */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that may not grow */
    for (int i = 0; i < SIGNALS; i++) {
        ev_signal_init(&control->signals[i], on_signal, signal_rows[i].number);
        control->signals[i].data = control;
        ev_signal_start(control->loop.ev, &control->signals[i]);
    }
}

/* --- starting ------------------------------------------------------------------------------ */

static uint32_t count_workers(const struct snapshot *snapshot)
{
    if (snapshot->workers != 0)
        return snapshot->workers < WORKERS_MAX ? snapshot->workers : WORKERS_MAX;
    cpu_set_t cpus;
    int count = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return count < WORKERS_MAX ? (uint32_t)count : WORKERS_MAX;
}

static struct metrics_registry *make_metrics(void)
{
    static struct strview reasons[REASON_COUNT];
    static struct strview faults[BACKEND_FAULT_COUNT];
    static struct strview client_faults[CLIENT_FAULT_COUNT];
    for (int i = 0; i < REASON_COUNT; i++)
        reasons[i] = reason_name((enum reason)i);
    for (int i = 0; i < BACKEND_FAULT_COUNT; i++)
        faults[i] = backend_fault_name((enum backend_fault)i);
    for (int i = 0; i < CLIENT_FAULT_COUNT; i++)
        client_faults[i] = client_fault_name((enum client_fault)i);
    const struct metric_names names = {
        .reasons = reasons,
        .reason_count = REASON_COUNT,
        .faults = faults,
        .fault_count = BACKEND_FAULT_COUNT,
        .client_faults = client_faults,
        .client_fault_count = CLIENT_FAULT_COUNT,
        .shadow_drops = shadow_drop_names,
        .shadow_drop_count = SHADOW_DROP_COUNT,
        .verdicts = verdict_names,
        .verdict_count = VERDICT_COUNT,
    };
    return metrics_registry_new(&names);
}

/*
 * How many clients' connections the process has descriptors for: half of them, less some for files
 * and operators; the other half is for connections to backends. The soft limit is raised first.
 */
static uint32_t connections_by_descriptors(const struct snapshot *snapshot)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t descriptors = limit.rlim_cur < UINT32_MAX ? limit.rlim_cur : UINT32_MAX;
    uint32_t spare =
        descriptors > 4 * SPARE_DESCRIPTORS ? SPARE_DESCRIPTORS : (uint32_t)(descriptors / 4);
    uint32_t connections = ((uint32_t)descriptors - spare) / 2;
    if (connections < snapshot->limits.connections)
        log_info("%u descriptors are enough for %u connections, not for the %u of "
                 "`limits.connections`",
                 (unsigned)descriptors, connections, snapshot->limits.connections);
    return connections;
}

bool control_open_mismatches(struct control *control, struct fault *fault)
{
    if (control->mismatches != NULL)
        return true;
    control->mismatches = mismatch_store_open(control->state_dir, fault);
    if (control->mismatches == NULL)
        return false;
    judge_set_store(control->judge, mismatch_store_interface(control->mismatches));
    return true;
}

void control_prepare_shadows(struct control *control, const struct snapshot *snapshot)
{
    bool copies = false;
    for (uint32_t i = 0; i < snapshot->modules->count; i++)
        copies = copies || snapshot->modules->modules[i].shadow_threshold > 0;
    struct fault fault;
    if (copies && !control_open_mismatches(control, &fault))
        log_error("mismatches are counted, but not kept: %s", fault.text);
}

static void start_workers(struct control *control, const struct snapshot *snapshot)
{
    uint32_t descriptor_limit = connections_by_descriptors(snapshot);
    control->worker_count = count_workers(snapshot);
    control->workers = memory_zalloc(control->worker_count * sizeof(struct worker *));
    control->shards = memory_zalloc((control->worker_count + 1) * sizeof(struct metrics_shard *));
    control->shards[control->worker_count] = metrics_shard_new();
    control->judge = judge_start(control->shards[control->worker_count]);
    for (uint32_t i = 0; i < control->worker_count; i++) {
        control->shards[i] = metrics_shard_new();
        struct worker_options options = {
            .metrics = control->shards[i],
            .log = access_log_add_ring(control->access_log),
            .total_connections = &control->total_connections,
            .counts = control->counts,
            .pauses = control->pauses,
            .shadow_budget = &control->shadow_budget,
            .judge = control->judge,
            .descriptor_limit = descriptor_limit,
            .control = &control->loop,
        };
        control->workers[i] = worker_start(&options);
    }
    control->publisher.workers = control->workers;
    control->publisher.worker_count = control->worker_count;
}

bool control_open_admin(struct control *control, const struct snapshot *snapshot,
                        struct fault *fault)
{
    if (snapshot->admin_address.length == 0)
        return true;
    struct address address;
    if (!address_parse(snapshot->admin_address, &address))
        return fault_set(fault, "bad admin address %s", snapshot->admin_address.data);
    if (!admin_access_init(&control->admin_access, &address, control->state_dir, fault))
        return false;
    control->admin =
        admin_server_new(&control->loop, &address, &control_admin_events, control, fault);
    return control->admin != NULL;
}

static void start_stats(struct control *control)
{
    control->stats = (struct module_stats){
        .loop = &control->loop,
        .shards = control->shards,
        .shard_count = control->worker_count,
        .current = &control->publisher.current,
    };
    module_stats_start(&control->stats);
}

/*
 * Takes the snapshot. In a hand-over the journal and the admin address come when all that can fail
 * without them is done, and the listeners last: who accepts connections has to stay.
 */
static bool put_in_force(struct control *control, struct snapshot *snapshot, struct fault *fault)
{
    if ((control->take_over.is_on &&
         !take_over_wait(&control->take_over, snapshot->limits.hand_over_timeout_ms,
                         &control->previous_generation, fault)) ||
        !control_open_admin(control, snapshot, fault)) {
        snapshot_unref(snapshot);
        return false;
    }
    control_prepare_shadows(control, snapshot);
    if (!control_publish_first(control, snapshot, fault))
        return false;
    start_stats(control);
    take_over_finish(&control->take_over, &control->loop);
    return true;
}

/* Host names mean other endpoints now. */
static void on_endpoints_changed(void *context)
{
    struct control *control = context;
    for (uint32_t i = 0; i < control->worker_count; i++)
        worker_leave_endpoints(control->workers[i], control->publisher.current);
    prober_update(control->prober, control->publisher.current);
}

static void start_names(struct control *control)
{
    const struct names_options options = {
        .loop = &control->loop,
        .registry = control->endpoints,
        .on_change = on_endpoints_changed,
        .context = control,
    };
    control->publisher.names = control->names = names_new(&options);
}

/* Takes the snapshot. */
static bool start(struct control *control, struct snapshot *snapshot, struct fault *fault)
{
    control->state_dir = memory_strdup(snapshot->state_dir.data);
    const char *log_path =
        snapshot->access_log.enabled ? snapshot->access_log.path.data : "/dev/null";
    control->access_log = access_log_new(log_path, fault);
    if (control->access_log == NULL) {
        snapshot_unref(snapshot);
        return false;
    }
    start_workers(control, snapshot);
    control->publisher.prober = control->prober = prober_start(control->loop.now_us);
    start_names(control);
    control->last_reload_successful = true;
    return put_in_force(control, snapshot, fault);
}

static void say_ready(const struct control *control)
{
    const struct snapshot *snapshot = control->publisher.current;
    log_info("generation %llu is in force, workers: %u", (unsigned long long)snapshot->generation,
             control->worker_count);
    if (!control->take_over.is_on) /* else the process before us says it */
        notify_ready();
}

/* Whoever waits for an answer sees the connection end. */
static void free_jobs(struct control *control)
{
    while (!list_is_empty(&control->jobs))
        change_job_free(LIST_ENTRY(control->jobs.next, struct change_job, node));
}

static void finish(struct control *control)
{
    flip_stop(&control->flip);
    live_clock_stop(control);
    admin_server_free(control->admin);
    module_stats_stop(&control->stats);
    if (control->judge != NULL)
        judge_stop(control->judge); /* before the workers, to whom it gives shadows back */
    for (uint32_t i = 0; i < control->worker_count; i++)
        worker_stop(control->workers[i]);
    hand_over_stop(&control->hand_over); /* the other process hears of our end only now */
    if (control->judge != NULL)
        judge_free(control->judge);
    names_free(control->names);
    prober_stop(control->prober);
    mismatch_store_close(control->mismatches);
    publisher_done(&control->publisher);
    free_jobs(control);
    live_state_free(control->live);
    journal_close(control->journal);
    free(control->state_dir);
    if (control->access_log != NULL)
        access_log_free(control->access_log);
    for (uint32_t i = 0; control->shards != NULL && i <= control->worker_count; i++)
        metrics_shard_free(control->shards[i]);
    free(control->workers);
    free(control->shards);
    metrics_registry_free(control->metrics);
    shadow_registry_free(control->shadows);
    endpoint_registry_free(control->endpoints);
    address_counts_free(control->counts);
    address_pauses_free(control->pauses);
    tls_tickets_unref(control->tickets);
    take_over_stop(&control->take_over, &control->loop);
    deadline_stop(&control->drain);
    for (int i = 0; i < SIGNALS; i++)
        ev_signal_stop(control->loop.ev, &control->signals[i]);
    loop_done(&control->loop);
}

static uint64_t random_seed(void)
{
    uint64_t seed;
    CHECK(getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed));
    return seed;
}

int control_run(const char *path)
{
    struct control control = {.path = path, .next_generation = 1};
    struct fault fault;
    if (!inherited_sockets_read(&control.publisher.inherited, &fault)) {
        log_error("%s", fault.text);
        return 1;
    }
    if (control.publisher.inherited.handed_over)
        take_over_init(&control.take_over, control.publisher.inherited.previous_fd);
    loop_init(&control.loop);
    control.loop.on_wake = stop_if_drained;
    deadline_init(&control.drain, on_drain_timeout);
    control_init_live(&control);
    watch_signals(&control);
    control.endpoints = endpoint_registry_new();
    control.counts = address_counts_new(random_seed());
    control.pauses = address_pauses_new(random_seed());
    control.tickets = tls_tickets_new();
    if (control.take_over.is_on)
        take_over_tickets(&control.take_over, control.tickets);
    control.metrics = make_metrics();
    control.shadows = shadow_registry_new();
    control.shadow_budget.limit = SHADOW_MEMORY_BYTES;
    struct snapshot *snapshot = control_load(&control, &fault);
    int status = 1;
    if (snapshot == NULL) {
        log_error("%s cannot be used: %s", path, fault.text);
    } else if (!start(&control, snapshot, &fault)) {
        log_error("%s", fault.text);
    } else {
        say_ready(&control);
        loop_run(&control.loop);
        log_info("stopping");
        status = 0;
    }
    finish(&control);
    return status;
}
