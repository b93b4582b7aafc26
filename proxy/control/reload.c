/* From the files to a running generation, and nothing at all when they are not good. */
#include "proxy/control/control_internal.h"

#include <unistd.h>

#include "proxy/control/change_rules.h"
#include "proxy/control/notify.h"
#include "proxy/core/log.h"

/* From the folder of the start, like everything that is kept. */
static bool read_pin_keys(const struct control *control, struct snapshot *snapshot,
                          struct fault *fault)
{
    const char *folder = control->state_dir != NULL ? control->state_dir : snapshot->state_dir.data;
    if (!snapshot_needs_pin_keys(snapshot) || snapshot_read_pin_keys(snapshot, folder, true, fault))
        return true;
    return false;
}

/* The first error, as a person would look for it. */
static void say_first(const struct config_report *report, struct fault *fault)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_fault *found = &report->faults[i];
        if (found->severity != REPORT_ERROR)
            continue;
        fault_set(fault, "%.*s:%u:%u: error[%.*s]: %.*s", STRVIEW_ARGS(found->file), found->line,
                  found->column, STRVIEW_ARGS(found->code), STRVIEW_ARGS(found->text));
        return;
    }
    fault_set(fault, "the files are not good");
}

struct snapshot *control_load(struct control *control, struct fault *fault)
{
    struct config_report report;
    config_report_init(&report);
    struct settings *settings = settings_load(control->path, &report);
    struct snapshot *snapshot = NULL;
    if (settings != NULL)
        snapshot = snapshot_build(settings, control->endpoints, control->next_generation, &report);
    if (settings != NULL && control->publisher.current != NULL)
        settings_report_changes(settings, control->publisher.current, &report);
    config_report_print(&report, stderr);
    if (snapshot == NULL)
        say_first(&report, fault);
    settings_free(settings);
    config_report_done(&report);
    if (snapshot != NULL && !read_pin_keys(control, snapshot, fault)) {
        snapshot_unref(snapshot);
        snapshot = NULL;
    }
    if (snapshot != NULL) {
        snapshot_number(snapshot, control->metrics, control->shadows);
        snapshot_share_tickets(snapshot, control->tickets);
        control->next_generation++;
    }
    return snapshot;
}

/* What only a restart can change is said, and stays as it is. */
static void report_fixed(const struct snapshot *running, const struct snapshot *next)
{
    if (running->workers != next->workers)
        log_warning("`workers` has changed; this waits for a restart");
    if (!strview_equal(running->admin_address, next->admin_address))
        log_warning("`admin` has changed; this waits for a restart");
    if (!strview_equal(running->state_dir, next->state_dir))
        log_warning("`state_dir` has changed; this waits for a restart");
}

enum { LOG_STAYS = -1, LOG_FAULT = -2 };

/* The log's next file, opened before anything is changed, so that a path that cannot be opened is a
 * fault of the reload, too. */
static int open_next_log(const struct control *control, const struct snapshot *next,
                         struct fault *fault)
{
    const struct access_log_config *running = &control->publisher.current->access_log;
    if (!next->access_log.enabled ||
        (running->enabled && strview_equal(running->path, next->access_log.path)))
        return LOG_STAYS;
    int fd = access_log_open(next->access_log.path.data, fault);
    return fd >= 0 ? fd : LOG_FAULT;
}

/* --- answers ------------------------------------------------------------------------------- */

/* Ends the orders that waited for this reload. A refusal changed nothing. */
static void end_jobs(struct control *control, int status, bool changed, const char *why)
{
    while (!list_is_empty(&control->reloads)) {
        struct change_job *job = LIST_ENTRY(control->reloads.next, struct change_job, waiting);
        job->result.changed = changed;
        if (status != 200)
            change_refuse(&job->result, status, "%s", why);
        else if (!job->result.durable)
            change_refuse(&job->result, 500,
                          "the files are in force, but what they have changed of commands could "
                          "not be recorded; the next start finds it again");
        change_job_end(job);
    }
}

static void begin_jobs(struct control *control)
{
    while (!list_is_empty(&control->next_reloads)) {
        struct list *node = control->next_reloads.next;
        list_remove(node);
        list_append(&control->reloads, node);
    }
}

static void finish_reload(struct control *control, bool successful)
{
    control->reloading = false;
    control->last_reload_successful = successful;
    unsigned long long generation = control_generation(control);
    notify_ready();
    if (successful)
        log_info("generation %llu is in force", generation);
    else
        log_error("generation %llu is in force, not all as the files say", generation);
    end_jobs(control, successful ? 200 : 500, true,
             "the files are in force, but a write owner could not be changed; the log says why");
}

static void fail_reload(struct control *control, int status, const struct fault *fault)
{
    control->last_reload_successful = false;
    notify_ready();
    log_error("reload of %s failed: %s; generation %llu stays", control->path, fault->text,
              (unsigned long long)control_generation(control));
    end_jobs(control, status, false, fault->text);
}

/* --- write owners -------------------------------------------------------------------------- */

void control_order_flips(struct control *control)
{
    for (uint32_t i = 0; i < control->live->count; i++) {
        const struct live_module *module = &control->live->modules[i];
        if (!live_module_needs_flip(module))
            continue;
        flip_add(&control->flip, module,
                 (enum write_owner)live_module_value(module, LIVE_WRITE_OWNER), NULL);
        control->reloading = true;
    }
}

void control_flips_ended(struct control *control, bool files_successful)
{
    if (control->reloading)
        finish_reload(control, files_successful);
    if (control->draining)
        loop_wake(&control->loop); /* the end may have waited for this */
    if (!control->reload_again)
        return;
    control->reload_again = false;
    control_reload(control);
}

/* --- publishing ---------------------------------------------------------------------------- */

/* Who reloads is who drops overrides. */
static void describe_reload(struct live_commit *commit, const struct control *control)
{
    commit->entry.verb = commit->items.count > 0 ? CHANGE_RELOAD : CHANGE_VERB_COUNT;
    commit->entry.why = "the files have changed";
    if (list_is_empty(&control->reloads))
        return;
    const struct change_job *job = LIST_ENTRY(control->reloads.next, struct change_job, waiting);
    commit->entry.who = job->note.who;
    if (job->note.why[0] != '\0')
        commit->entry.why = job->note.why;
}

static void tell_jobs(struct control *control, uint64_t entry, bool is_durable)
{
    struct list *jobs = &control->reloads;
    for (struct list *node = jobs->next; node != jobs; node = node->next) {
        struct change_job *job = LIST_ENTRY(node, struct change_job, waiting);
        job->result.entry = entry;
        job->result.durable = is_durable;
    }
}

/*
 * The overrides that the files have overtaken are dropped in the journal and in force at the same
 * time, as far as two places can: a crash in between is put right at the next start, which drops
 * them again. Takes the snapshot.
 */
static bool publish_merged(struct control *control, struct live_commit *commit,
                           struct snapshot *next, struct fault *fault)
{
    live_state_declare(commit->next, next->modules, &commit->items);
    describe_reload(commit, control);
    live_state_fill(commit->next, next->modules);
    bool journals = live_commit_is_needed(commit);
    if (journals && !live_commit_write(commit, fault)) {
        snapshot_unref(next);
        return false;
    }
    if (!publisher_publish_take(&control->publisher, next, fault))
        return false;
    live_commit_take(commit);
    struct fault lost;
    bool is_durable = !journals || live_commit_finish(commit, &lost);
    if (!is_durable)
        log_error("what the files have changed could not be recorded: %s", lost.text);
    tell_jobs(control, is_durable ? commit->entry.id : 0, is_durable);
    control_log_change(commit);
    live_clock_set(control);
    return true;
}

/* Takes the snapshot. All of it or nothing: the log moves when nothing can fail any more. */
static bool put_in_force(struct control *control, struct snapshot *next, struct fault *fault)
{
    int log_fd = open_next_log(control, next, fault);
    if (log_fd == LOG_FAULT) {
        snapshot_unref(next);
        return false;
    }
    control_prepare_shadows(control, next);
    struct live_commit commit;
    live_commit_init(&commit, control);
    bool good = publish_merged(control, &commit, next, fault);
    live_commit_done(&commit);
    if (log_fd != LOG_STAYS && good)
        access_log_move_take(control->access_log, log_fd);
    else if (log_fd != LOG_STAYS)
        close(log_fd);
    return good;
}

/* The new process may have read the files already: by HUP, whoever serves then reads them again. */
static void wait_for_hand_over(struct control *control)
{
    log_info("a hand-over is under way; the reload waits for that");
    if (list_is_empty(&control->next_reloads))
        control->hand_over.reload_wanted = true;
    begin_jobs(control);
    end_jobs(control, 503, false, "a hand-over to a new process is under way; reload after it");
}

void control_reload(struct control *control)
{
    struct fault fault;
    if (control->draining) {
        log_warning("draining; a reload is refused");
        begin_jobs(control);
        end_jobs(control, 503, false, "the proxy is ending; nothing is changed any more");
        return;
    }
    if (hand_over_is_on(&control->hand_over)) {
        wait_for_hand_over(control);
        return;
    }
    if (flip_is_on(&control->flip) || control->reloading) {
        log_info("a write owner is being changed; the reload waits for that");
        control->reload_again = true;
        return;
    }
    begin_jobs(control);
    notify_reloading();
    struct snapshot *next = control_load(control, &fault);
    if (next == NULL) {
        fail_reload(control, 422, &fault);
        return;
    }
    report_fixed(control->publisher.current, next);
    if (!put_in_force(control, next, &fault)) {
        fail_reload(control, 500, &fault);
        return;
    }
    control_log_live(control);
    control_order_flips(control);
    if (!control->reloading)
        finish_reload(control, true);
}

void control_reload_for(struct change_job *job)
{
    list_append(&job->control->next_reloads, &job->waiting);
    control_reload(job->control);
}
