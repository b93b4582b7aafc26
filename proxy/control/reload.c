/* From the files to a running generation, and nothing at all when they are not good. */
#include "proxy/control/control_internal.h"

#include "proxy/core/log.h"

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
    if (running->access_log.enabled != next->access_log.enabled && next->access_log.enabled)
        log_info("the access log is on");
}

/* The log moves before the snapshot is published, so that a path that cannot be opened is a fault
 * of the reload, too. */
static bool move_access_log(struct control *control, const struct snapshot *next,
                            struct fault *fault)
{
    const struct access_log_config *running = &control->publisher.current->access_log;
    if (!next->access_log.enabled ||
        (running->enabled && strview_equal(running->path, next->access_log.path)))
        return true;
    return access_log_reopen(control->access_log, next->access_log.path.data, fault);
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
        .next_generation = &control->next_generation,
        .on_done = on_flip_done,
    };
}

/* Takes the snapshot. */
static bool put_in_force(struct control *control, struct snapshot *next, struct fault *fault)
{
    if (!move_access_log(control, next, fault)) {
        snapshot_unref(next);
        return false;
    }
    if (flip_is_needed(control->publisher.current, next))
        return flip_start_take(&control->flip, next, fault);
    if (!publisher_publish_take(&control->publisher, next, fault))
        return false;
    finish_reload(control, true);
    return true;
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
    control->last_reload_successful = false;
    struct snapshot *next = control_load(control);
    if (next == NULL) {
        log_error("reload of %s failed; generation %llu stays", control->path,
                  (unsigned long long)control->publisher.current->generation);
        return;
    }
    report_fixed(control->publisher.current, next);
    if (!put_in_force(control, next, &fault))
        log_error("reload of %s failed: %s", control->path, fault.text);
}
