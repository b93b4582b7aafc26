/* Undo: an entry of the journal is taken back, if nothing later stands on it. */
#include "proxy/control/change_rules.h"
#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"

/* What is looked for in the history, and what was found. */
struct undo_search {
    struct change_job *job;
    uint64_t id; /* 0: nothing found yet */
    enum change_verb verb;
    uint64_t undone_by;
    struct live_items items;
};

/* --- finding ------------------------------------------------------------------------------- */

static bool can_be_undone(enum change_verb verb)
{
    switch (verb) {
    case CHANGE_STAGE:
    case CHANGE_PERCENT:
    case CHANGE_ABORT:
    case CHANGE_RESUME:
    case CHANGE_WRITES:
    case CHANGE_FREEZE:
    case CHANGE_UNDO:
        return true;
    case CHANGE_UNFREEZE:
    case CHANGE_CONFIRM:
    case CHANGE_RELOAD:
    case CHANGE_SAVE:
    case CHANGE_REVERT:
    case CHANGE_THAW:
    case CHANGE_VERB_COUNT:
        break;
    }
    return false;
}

static uint64_t value_now(const struct undo_search *search, const struct live_item *item)
{
    const struct live_module *module =
        live_state_find(search->job->control->live, strview_of(item->module));
    return module != NULL ? live_module_value(module, item->key) : 0;
}

/* Without a number: undo after undo leads further back. What ended by itself is passed over; what
 * the files changed is not. */
static bool is_passed_over(const struct undo_search *search, const struct journal_entry *entry)
{
    if (entry->undone_by != 0 || entry->item_count == 0)
        return true;
    if (entry->verb == CHANGE_FREEZE)
        return value_now(search, &entry->items[0]) != entry->items[0].to;
    return entry->verb == CHANGE_UNDO ||
           (!can_be_undone(entry->verb) && entry->verb != CHANGE_RELOAD);
}

static bool on_entry(void *context, const struct journal_entry *entry)
{
    struct undo_search *search = context;
    if (search->job->change.undo_entry == 0 && is_passed_over(search, entry))
        return true;
    search->id = entry->id;
    search->verb = entry->verb;
    search->undone_by = entry->undone_by;
    for (size_t i = 0; i < entry->item_count; i++)
        live_items_push(&search->items, &entry->items[i]);
    return false;
}

static bool find_entry(struct undo_search *search, struct change_job *job)
{
    struct fault fault;
    uint64_t wanted = job->change.undo_entry;
    struct journal_query query = {.first = wanted, .limit = wanted != 0 ? 1 : 0};
    if (wanted == 0)
        query.module = job->change.module;
    if (job->control->journal != NULL &&
        !journal_history(job->control->journal, &query, on_entry, search, &fault))
        return change_refuse(&job->result, 503, "nothing was changed: %s", fault.text);
    if (search->id == 0 && wanted == 0)
        return change_refuse(&job->result, 409, "there is nothing to undo");
    if (wanted != 0 && search->id != wanted)
        return change_refuse(&job->result, 404, "the journal has no entry %llu",
                             (unsigned long long)wanted);
    return true;
}

/* --- judging ------------------------------------------------------------------------------- */

static bool nothing_is_later(struct undo_search *search, const struct live_item *item)
{
    struct fault fault;
    struct change_job *job = search->job;
    struct strview key = live_key_name(item->key);
    uint64_t later = 0;
    if (!journal_find_later(job->control->journal, search->id, item, &later, &fault))
        return change_refuse(&job->result, 503, "nothing was changed: %s", fault.text);
    if (later != 0)
        return change_refuse(&job->result, 409,
                             "entry %llu has changed %.*s of %s since; undo "
                             "that first",
                             (unsigned long long)later, STRVIEW_ARGS(key), item->module);
    if (value_now(search, item) != item->to)
        return change_refuse(&job->result, 409,
                             "%.*s of %s is not what entry %llu made it any more; the files have "
                             "changed it, or its time is over",
                             STRVIEW_ARGS(key), item->module, (unsigned long long)search->id);
    return true;
}

static bool module_allows(struct undo_search *search, const struct live_module *module,
                          const struct live_item *item)
{
    struct change_result *result = &search->job->result;
    if (module == NULL || !module->declared)
        return change_refuse(result, 409, "the files do not have module %s any more", item->module);
    if (module->flipping)
        return change_refuse(result, 409, "busy: the write owner of %s is being changed",
                             item->module);
    const struct live_pending *pending = &module->pending;
    if (pending->entry != 0 && pending->entry != search->id && !search->job->change.force)
        return change_refuse(result, 409,
                             "%s has a change that waits to be confirmed (entry %llu): confirm or "
                             "undo that first, or --force",
                             item->module, (unsigned long long)pending->entry);
    if (item->key == LIVE_STAGE)
        return change_stage_is_possible(module, (enum stage)item->from, result);
    if (item->key == LIVE_WRITE_OWNER && item->from != WRITE_OWNER_EXTRACTED &&
        live_module_value(module, LIVE_STAGE) == STAGE_RETIRED)
        return change_refuse(result, 409, "%s is retired: there is no legacy side to write to",
                             item->module);
    return true;
}

static bool may_undo(struct undo_search *search)
{
    struct change_job *job = search->job;
    unsigned long long id = search->id;
    if (search->undone_by != 0)
        return change_refuse(&job->result, 409, "entry %llu was taken back by entry %llu already",
                             id, (unsigned long long)search->undone_by);
    if (search->verb == CHANGE_RELOAD)
        return change_refuse(&job->result, 409,
                             "entry %llu came from the files; change those, or name an entry to "
                             "undo",
                             id);
    if (!can_be_undone(search->verb) || search->items.count == 0)
        return change_refuse(&job->result, 409, "entry %llu (%.*s) is nothing that can be undone",
                             id, STRVIEW_ARGS(change_verb_name(search->verb)));
    for (size_t i = 0; i < search->items.count; i++) {
        const struct live_item *item = &search->items.items[i];
        const struct live_module *module =
            live_state_find(job->control->live, strview_of(item->module));
        if (!nothing_is_later(search, item) || !module_allows(search, module, item))
            return false;
    }
    return true;
}

/* --- taking back --------------------------------------------------------------------------- */

/* An entry about a write owner has no other item. False: the job has not to be ended here. */
static bool flip_back(struct undo_search *search)
{
    struct change_job *job = search->job;
    const struct live_item *item = &search->items.items[0];
    if (flip_is_on(&job->control->flip))
        return !change_refuse(&job->result, 409,
                              "busy: a write owner is being changed, and that goes one by one");
    flip_add(&job->control->flip, live_state_find(job->control->live, strview_of(item->module)),
             (enum write_owner)item->from, job);
    return false;
}

static void set_back(struct undo_search *search)
{
    struct live_commit commit;
    live_commit_init(&commit, search->job->control);
    for (size_t i = 0; i < search->items.count; i++) {
        const struct live_item *item = &search->items.items[i];
        struct live_module *module = live_state_find(commit.next, strview_of(item->module));
        uint64_t value = item->key == LIVE_FROZEN ? 0 : item->from;
        live_module_set(module, item->key, value, &search->job->note, &commit.items);
    }
    change_put_in_force(&commit, search->job);
    live_commit_done(&commit);
}

void change_run_undo(struct change_job *job)
{
    struct undo_search search = {.job = job};
    bool ends = true;
    if (find_entry(&search, job) && may_undo(&search)) {
        job->undo_of = search.id;
        change_note(&job->result, "entry %llu (%.*s) is taken back", (unsigned long long)search.id,
                    STRVIEW_ARGS(change_verb_name(search.verb)));
        if (search.items.items[0].key == LIVE_WRITE_OWNER)
            ends = flip_back(&search);
        else
            set_back(&search);
    }
    live_items_done(&search.items);
    if (ends)
        change_job_end(job);
}
