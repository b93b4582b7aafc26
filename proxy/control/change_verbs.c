#include "proxy/control/change_verbs.h"

#include "proxy/control/change_rules.h"
#include "proxy/control/control_internal.h"

/* --- putting in force ---------------------------------------------------------------------- */

void change_describe(struct live_commit *commit, const struct live_note *note,
                     enum change_verb verb)
{
    commit->entry.verb = verb;
    commit->entry.who = note->who;
    commit->entry.why = note->why;
}

void change_wait_for_confirmation(struct live_commit *commit, const struct change_job *job)
{
    if (job->change.confirm_within_ms == 0 || commit->items.count != 1)
        return;
    const struct live_item *item = &commit->items.items[0];
    commit->pending_module = item->module;
    commit->pending = (struct live_pending){
        .key = item->key,
        .value = item->to,
        .back_to = item->from,
        .revert_at_unix_ms = commit->control->loop.wall_ms + job->change.confirm_within_ms,
    };
}

bool change_store(struct live_commit *commit, struct change_job *job)
{
    struct fault fault;
    change_describe(commit, &job->note, job->change.verb);
    commit->entry.module = job->module;
    commit->entry.undo_of = job->undo_of;
    change_wait_for_confirmation(commit, job);
    if (!live_commit_store(commit, &fault))
        return change_refuse(&job->result, 503, "nothing was changed: %s", fault.text);
    live_commit_take(commit);
    control_log_change(commit);
    job->result.changed = true;
    job->result.entry = commit->entry.id;
    return true;
}

bool change_put_in_force(struct live_commit *commit, struct change_job *job)
{
    if (!change_store(commit, job))
        return false;
    control_publish_live(commit->control);
    return true;
}

/* --- stage, percent, unfreeze -------------------------------------------------------------- */

static void set_value(struct live_module *module, struct change_job *job, struct live_items *items)
{
    const struct change *change = &job->change;
    if (change->verb == CHANGE_STAGE)
        live_module_set(module, LIVE_STAGE, change->stage, &job->note, items);
    else if (change->verb == CHANGE_PERCENT)
        live_module_set(module, LIVE_PERCENT, change->threshold, &job->note, items);
    else
        live_module_set(module, LIVE_FROZEN, 0, &job->note, items);
}

void change_run_value(struct change_job *job)
{
    const struct live_module *module = change_job_module(job);
    if (module != NULL && change_judge(module, &job->change, &job->result) == CHANGE_RULE_CHANGES) {
        struct live_commit commit;
        live_commit_init(&commit, job->control);
        set_value(live_state_find(commit.next, job->change.module), job, &commit.items);
        change_put_in_force(&commit, job);
        live_commit_done(&commit);
    }
    change_job_end(job);
}

/* --- confirm and save ---------------------------------------------------------------------- */

void change_run_confirm(struct change_job *job)
{
    const struct live_module *module = change_job_module(job);
    if (module != NULL && change_judge(module, &job->change, &job->result) == CHANGE_RULE_CHANGES) {
        struct live_commit commit;
        live_commit_init(&commit, job->control);
        commit.entry.generation = control_generation(job->control); /* nothing new comes in force */
        live_state_find(commit.next, job->change.module)->pending =
            (struct live_pending){.entry = 0};
        if (change_store(&commit, job))
            change_note(&job->result, "entry %llu stays",
                        (unsigned long long)module->pending.entry);
        live_commit_done(&commit);
    }
    change_job_end(job);
}

/* What was an override is what the file says. */
static bool save_module(struct live_module *module)
{
    bool changes = false;
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++) {
        struct live_override *override = &module->overrides[key];
        if (!override->on)
            continue;
        module->file[key] = override->running;
        *override = (struct live_override){.on = false};
        changes = true;
    }
    return changes;
}

void change_run_save(struct change_job *job)
{
    if (job->module[0] != '\0' && change_job_module(job) == NULL) {
        change_job_end(job);
        return;
    }
    struct live_commit commit;
    live_commit_init(&commit, job->control);
    commit.entry.generation = control_generation(job->control);
    bool changes = false;
    for (uint32_t i = 0; i < commit.next->count; i++) {
        struct live_module *module = &commit.next->modules[i];
        bool meant = job->module[0] == '\0' || strcmp(module->name, job->module) == 0;
        if (meant && module->declared && save_module(module))
            changes = true;
    }
    if (changes)
        change_store(&commit, job);
    else
        change_note(&job->result, "the files say already what is in force");
    live_commit_done(&commit);
    change_job_end(job);
}

/* --- writes -------------------------------------------------------------------------------- */

void change_run_writes(struct change_job *job)
{
    struct flip *flip = &job->control->flip;
    const struct live_module *module = change_job_module(job);
    if (module == NULL || change_judge(module, &job->change, &job->result) != CHANGE_RULE_CHANGES) {
        change_job_end(job);
        return;
    }
    if (flip_is_on(flip)) {
        change_refuse(&job->result, 409,
                      "busy: another write owner is being changed, and that goes one by one");
        change_job_end(job);
        return;
    }
    flip_add(flip, module, job->change.owner, job);
}
