/* Abort, which is in force before the journal has it, and resume, which is not. */
#include "proxy/control/change_rules.h"
#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

/* Is the module one that the order means? */
static bool is_meant(const struct change_job *job, const struct live_module *module)
{
    return module->declared && (job->module[0] == '\0' || strcmp(module->name, job->module) == 0);
}

/*
 * Sets the latch of all modules that are meant. False with the answer's refusal when one that was
 * named, or any to resume, may not be changed, or when of all modules none can be aborted.
 */
static bool set_latches(struct change_job *job, struct live_commit *commit)
{
    bool is_abort = job->change.verb == CHANGE_ABORT;
    uint32_t fit = 0;
    for (uint32_t i = 0; i < commit->next->count; i++) {
        struct live_module *module = &commit->next->modules[i];
        if (!is_meant(job, module))
            continue;
        enum change_rule rule = change_judge(module, &job->change, &job->result);
        if (rule == CHANGE_RULE_REFUSED && !is_abort)
            return false;
        fit += rule != CHANGE_RULE_REFUSED;
        if (rule == CHANGE_RULE_CHANGES)
            live_module_set(module, LIVE_ABORTED, is_abort, &job->note, &commit->items);
    }
    if (fit == 0 && job->result.status != 200)
        return false;
    bool refused_some = job->result.status != 200;
    job->result.status = 200;
    job->result.title[0] = '\0';
    job->result.detail[0] = '\0';
    if (job->module[0] == '\0')
        change_note(&job->result, "%zu modules were %s%s", commit->items.count,
                    is_abort ? "aborted" : "resumed",
                    refused_some ? "; those that are retired cannot be" : "");
    return true;
}

/* --- abort --------------------------------------------------------------------------------- */

static void not_durable(struct change_job *job, const struct fault *fault)
{
    job->result.durable = false;
    change_refuse(&job->result, 500,
                  "aborted, not durable: reads go to legacy now, but a restart would forget it "
                  "(%s)",
                  fault->text);
    log_error("aborted, not durable: %s", fault->text);
}

static bool has_unrecorded(const struct live_state *state)
{
    for (uint32_t i = 0; i < state->count; i++) {
        if (state->modules[i].latch.on && !state->modules[i].latch.durable)
            return true;
    }
    return false;
}

/* First in force, then in the journal. Once more what the journal could not take before. */
static void abort_modules(struct change_job *job, struct live_commit *commit)
{
    struct fault fault;
    if (commit->items.count == 0) {
        if (has_unrecorded(job->control->live) && !live_commit_flush(job->control, &fault))
            not_durable(job, &fault);
        return;
    }
    live_commit_take(commit);
    control_publish_live(job->control);
    job->result.changed = true;
    change_describe(commit, &job->note, CHANGE_ABORT);
    commit->entry.module = job->module;
    commit->entry.generation = control_generation(job->control);
    control_log_change(commit);
    if (live_commit_store(commit, &fault))
        job->result.entry = commit->entry.id;
    else
        not_durable(job, &fault);
}

/* A module whose writes follow its reads has gone back with those. */
static void return_writes(struct change_job *job)
{
    struct control *control = job->control;
    job->flips = 1; /* ours, so that the job does not end before all are added */
    for (uint32_t i = 0; i < control->live->count; i++) {
        const struct live_module *module = &control->live->modules[i];
        if (!is_meant(job, module) || module->acting_stage == STAGE_RETIRED)
            continue;
        flip_keep_on_legacy(&control->flip, module);
        if (module->owner == WRITE_OWNER_EXTRACTED || live_module_needs_flip(module) ||
            module->flipping)
            flip_add(&control->flip, module, WRITE_OWNER_LEGACY, job);
    }
    if (--job->flips == 0)
        change_job_end(job);
}

void change_run_abort(struct change_job *job)
{
    if (job->module[0] != '\0' && change_job_module(job) == NULL) {
        change_job_end(job);
        return;
    }
    struct live_commit commit;
    live_commit_init(&commit, job->control);
    bool good = set_latches(job, &commit);
    if (good)
        abort_modules(job, &commit);
    live_commit_done(&commit);
    if (good && job->change.with_writes)
        return_writes(job);
    else
        change_job_end(job);
}

/* --- resume -------------------------------------------------------------------------------- */

void change_run_resume(struct change_job *job)
{
    if (job->module[0] == '\0' || change_job_module(job) != NULL) {
        struct live_commit commit;
        live_commit_init(&commit, job->control);
        if (set_latches(job, &commit) && commit.items.count > 0)
            change_put_in_force(&commit, job);
        live_commit_done(&commit);
    }
    change_job_end(job);
}
