#include "proxy/control/live_commit.h"

#include "proxy/control/control_internal.h"

void live_commit_init(struct live_commit *commit, struct control *control)
{
    *commit = (struct live_commit){.control = control, .before = control->live};
    commit->next = live_state_copy(control->live);
    commit->entry = (struct journal_entry){.unix_ms = control->loop.wall_ms,
                                           .generation = control->next_generation,
                                           .module = "",
                                           .who = "",
                                           .why = ""};
}

/* --- the journal --------------------------------------------------------------------------- */

static bool is_unrecorded(const struct live_module *module)
{
    return module->latch.on && !module->latch.durable;
}

/* An abort that the journal could not take is told now, under its own name and time. */
static bool write_unrecorded(struct live_commit *commit, const struct live_module *module,
                             struct fault *fault)
{
    const struct live_module *before = live_state_find(commit->before, strview_of(module->name));
    if (before == NULL || !is_unrecorded(before))
        return true;
    struct live_items items = {.items = NULL};
    live_items_add(&items, module, LIVE_ABORTED, 0, 1);
    struct journal_entry entry = {.unix_ms = before->latch.note.unix_ms,
                                  .verb = CHANGE_ABORT,
                                  .module = module->name,
                                  .who = before->latch.note.who,
                                  .why = before->latch.note.why,
                                  .generation = commit->entry.generation,
                                  .items = items.items,
                                  .item_count = items.count};
    uint64_t id;
    bool good = journal_add_entry(commit->control->journal, &entry, &id, fault);
    live_items_done(&items);
    return good;
}

/* Modules are only added, at the end, and a new one is as the files say. */
static bool has_changed(const struct live_commit *commit, uint32_t index)
{
    return index < commit->before->count &&
           live_module_differs(&commit->before->modules[index], &commit->next->modules[index]);
}

bool live_commit_is_needed(const struct live_commit *commit)
{
    for (uint32_t i = 0; i < commit->next->count; i++) {
        if (has_changed(commit, i))
            return true;
    }
    return commit->items.count > 0;
}

static bool write_modules(struct live_commit *commit, struct fault *fault)
{
    for (uint32_t i = 0; i < commit->next->count; i++) {
        const struct live_module *module = &commit->next->modules[i];
        if ((has_changed(commit, i) || is_unrecorded(module)) &&
            !journal_put_module(commit->control->journal, module, fault))
            return false;
    }
    return true;
}

static bool write_history(struct live_commit *commit, struct fault *fault)
{
    for (uint32_t i = 0; i < commit->next->count; i++) {
        if (!write_unrecorded(commit, &commit->next->modules[i], fault))
            return false;
    }
    commit->entry.items = commit->items.items;
    commit->entry.item_count = commit->items.count;
    return commit->entry.verb == CHANGE_VERB_COUNT ||
           journal_add_entry(commit->control->journal, &commit->entry, &commit->entry.id, fault);
}

static void set_pending(struct live_commit *commit)
{
    if (commit->pending_module == NULL)
        return;
    struct live_module *module = live_state_find(commit->next, strview_of(commit->pending_module));
    module->pending = commit->pending;
    module->pending.entry = commit->entry.id;
}

bool live_commit_write(struct live_commit *commit, struct fault *fault)
{
    struct journal **journal = &commit->control->journal;
    if (!control_open_journal(commit->control, fault) || !journal_begin(*journal, fault))
        return false;
    commit->writing = true;
    if (!write_history(commit, fault))
        return false;
    set_pending(commit);
    return write_modules(commit, fault) &&
           (commit->flip == NULL || journal_end_flip(*journal, commit->flip, fault));
}

bool live_commit_finish(struct live_commit *commit, struct fault *fault)
{
    commit->writing = false; /* also when it fails */
    if (!journal_commit(commit->control->journal, fault))
        return false;
    for (uint32_t i = 0; i < commit->next->count; i++)
        commit->next->modules[i].latch.durable = commit->next->modules[i].latch.on;
    return true;
}

bool live_commit_store(struct live_commit *commit, struct fault *fault)
{
    return live_commit_write(commit, fault) && live_commit_finish(commit, fault);
}

/* --- the end ------------------------------------------------------------------------------- */

void live_commit_take(struct live_commit *commit)
{
    commit->control->live = commit->next;
    commit->taken = true;
}

void live_commit_done(struct live_commit *commit)
{
    if (commit->writing)
        journal_rollback(commit->control->journal);
    live_state_free(commit->taken ? commit->before : commit->next);
    live_items_done(&commit->items);
}

bool live_commit_flush(struct control *control, struct fault *fault)
{
    struct live_commit commit;
    live_commit_init(&commit, control);
    commit.entry.verb = CHANGE_VERB_COUNT;
    bool good = live_commit_store(&commit, fault);
    if (good)
        live_commit_take(&commit);
    live_commit_done(&commit);
    return good;
}
