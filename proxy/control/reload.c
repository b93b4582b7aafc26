/* From the files to a running generation, and nothing at all when they are not good. */
#include "proxy/control/control_internal.h"

#include <unistd.h>

#include "proxy/core/log.h"

/* From the folder of the start, like everything that is kept. */
static bool read_pin_keys(const struct control *control, struct snapshot *snapshot)
{
    struct fault fault;
    const char *folder = control->state_dir != NULL ? control->state_dir : snapshot->state_dir.data;
    if (!snapshot_needs_pin_keys(snapshot) ||
        snapshot_read_pin_keys(snapshot, folder, true, &fault))
        return true;
    log_error("%s", fault.text);
    return false;
}

struct snapshot *control_load(struct control *control)
{
    struct config_report report;
    config_report_init(&report);
    struct settings *settings = settings_load(control->path, &report);
    struct snapshot *snapshot = NULL;
    if (settings != NULL)
        snapshot = snapshot_build(settings, control->endpoints, control->next_generation, &report);
    config_report_print(&report, stderr);
    settings_free(settings);
    config_report_done(&report);
    if (snapshot != NULL && !read_pin_keys(control, snapshot)) {
        snapshot_unref(snapshot);
        snapshot = NULL;
    }
    if (snapshot != NULL) {
        snapshot_number(snapshot, control->metrics);
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

static void finish_reload(struct control *control, bool successful)
{
    control->last_reload_successful = successful;
    unsigned long long generation = control->publisher.current->generation;
    if (successful)
        log_info("generation %llu is in force", generation);
    else
        log_error("generation %llu is in force, not all as the files say", generation);
    if (!control->reload_again)
        return;
    control->reload_again = false;
    control_reload(control);
}

static void on_flip_done(struct flip *flip, bool successful)
{
    finish_reload(LIST_ENTRY(flip, struct control, flip), successful);
}

void control_init_flip(struct control *control)
{
    control->flip = (struct flip){
        .loop = &control->loop,
        .publisher = &control->publisher,
        .journal = &control->journal,
        .state_dir = control->state_dir,
        .next_generation = &control->next_generation,
        .on_done = on_flip_done,
    };
}

/* Takes the snapshot. */
static bool publish_or_flip(struct control *control, struct snapshot *next, struct fault *fault)
{
    if (flip_is_needed(control->publisher.current, next))
        return flip_start_take(&control->flip, next, fault);
    if (!publisher_publish_take(&control->publisher, next, fault))
        return false;
    finish_reload(control, true);
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
    bool good = publish_or_flip(control, next, fault);
    if (log_fd != LOG_STAYS && good)
        access_log_move_take(control->access_log, log_fd);
    else if (log_fd != LOG_STAYS)
        close(log_fd);
    return good;
}

void control_reload(struct control *control)
{
    struct fault fault;
    if (control->draining) {
        log_warning("draining; a reload is refused");
        return;
    }
    if (flip_is_on(&control->flip)) {
        log_info("a write owner is being changed; the reload waits for that");
        control->reload_again = true;
        return;
    }
    struct snapshot *next = control_load(control);
    if (next == NULL)
        fault_set(&fault, "the files are not good");
    else
        report_fixed(control->publisher.current, next);
    if (next != NULL && put_in_force(control, next, &fault))
        return;
    control->last_reload_successful = false;
    log_error("reload of %s failed: %s; generation %llu stays", control->path, fault.text,
              (unsigned long long)control->publisher.current->generation);
}
