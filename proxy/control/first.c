/* The first generation: the files, and what the journal tells of the time before. */
#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

static bool read_journal(struct control *control, struct fault *fault)
{
    uint64_t last = control->previous_generation;
    uint64_t recorded = 0;
    if (journal_exists(control->state_dir) &&
        (!control_open_journal(control, fault) ||
         !journal_load(control->journal, control->live, fault) ||
         !journal_last_generation(control->journal, &recorded, fault)))
        return false;
    if (last < recorded)
        last = recorded;
    if (control->next_generation <= last) /* so that no two states have the same number */
        control->next_generation = last + 1;
    return true;
}

/* What cannot be recorded now is found again at the next start, in the same way. */
static void declare_files(struct control *control, const struct module_table *files)
{
    struct fault fault;
    struct live_commit commit;
    live_commit_init(&commit, control);
    live_state_declare(commit.next, files, &commit.items);
    commit.entry.verb = commit.items.count > 0 ? CHANGE_RELOAD : CHANGE_VERB_COUNT;
    commit.entry.why = "the files have changed while nobody served";
    if (live_commit_is_needed(&commit) && !live_commit_store(&commit, &fault))
        log_error("what the files have changed could not be recorded: %s", fault.text);
    control_log_change(&commit);
    live_commit_take(&commit);
    live_commit_done(&commit);
}

bool control_publish_first(struct control *control, struct snapshot *snapshot, struct fault *fault)
{
    control->next_generation = snapshot->generation; /* it may become a higher one */
    if (!read_journal(control, fault)) {
        snapshot_unref(snapshot);
        return false;
    }
    declare_files(control, snapshot->modules);
    live_clock_run(control); /* nobody is served by what is overdue */
    live_state_fill(control->live, snapshot->modules);
    snapshot->generation = control->next_generation++;
    if (!publisher_publish_take(&control->publisher, snapshot, fault))
        return false;
    control_log_live(control);
    control_order_flips(control);
    return true;
}
