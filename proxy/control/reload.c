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
    if (snapshot != NULL)
        control->next_generation++;
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

void control_reload(struct control *control)
{
    struct fault fault;
    if (control->draining) {
        log_warning("draining; a reload is refused");
        return;
    }
    struct snapshot *next = control_load(control);
    control->last_reload_successful = false;
    if (next == NULL) {
        log_error("reload of %s failed; generation %llu stays", control->path,
                  (unsigned long long)control->publisher.current->generation);
        return;
    }
    uint64_t generation = next->generation;
    report_fixed(control->publisher.current, next);
    if (!move_access_log(control, next, &fault)) {
        log_error("reload of %s failed: %s", control->path, fault.text);
        snapshot_unref(next);
        return;
    }
    if (!publisher_publish_take(&control->publisher, next, &fault)) {
        log_error("reload of %s failed: %s", control->path, fault.text);
        return;
    }
    control->last_reload_successful = true;
    log_info("generation %llu is in force", (unsigned long long)generation);
}
