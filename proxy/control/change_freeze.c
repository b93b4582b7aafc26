/* Freeze: a module's writes wait, until somebody unfreezes it or its time is over. */
#include "proxy/control/change_rules.h"
#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"

enum { POLL_MS = 10 };

static uint64_t value_or(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* The writes that began before; those that wait are none of them. */
static void look_at_writes(struct change_job *job)
{
    struct control *control = job->control;
    uint32_t writes = control_count_writes(control, job->change.module);
    if (writes > 0 && control->loop.now_ms < job->gives_up_at_ms) {
        deadline_start(&control->loop, &job->poll, POLL_MS);
        return;
    }
    if (writes > 0)
        change_refuse(&job->result, 504,
                      "%s is frozen, but %u older writes are still in flight; freeze it again to "
                      "wait for them, or unfreeze it",
                      job->module, writes);
    change_job_end(job);
}

static void on_poll(struct deadline *deadline)
{
    look_at_writes(LIST_ENTRY(deadline, struct change_job, poll));
}

void change_run_freeze(struct change_job *job)
{
    const struct live_module *module = change_job_module(job);
    if (module == NULL || change_judge(module, &job->change, &job->result) != CHANGE_RULE_CHANGES) {
        change_job_end(job);
        return;
    }
    struct control *control = job->control;
    uint64_t until_ms = control->loop.wall_ms + value_or(job->change.ttl_ms, CHANGE_TTL_MS);
    if (until_ms < module->freeze.until_unix_ms)
        until_ms = module->freeze.until_unix_ms;
    struct live_commit commit;
    live_commit_init(&commit, control);
    live_module_set(live_state_find(commit.next, job->change.module), LIVE_FROZEN, until_ms,
                    &job->note, &commit.items);
    bool good = change_put_in_force(&commit, job);
    live_commit_done(&commit);
    if (!good) {
        change_job_end(job);
        return;
    }
    deadline_init(&job->poll, on_poll);
    job->gives_up_at_ms =
        control->loop.now_ms + value_or(job->change.max_wait_ms, CHANGE_MAX_WAIT_MS);
    look_at_writes(job);
}
