#include "proxy/control/change.h"

#include "proxy/control/change_rules.h"
#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"

/* --- the verbs ----------------------------------------------------------------------------- */

static const struct {
    struct strview name;
    void (*run)(struct change_job *job); /* NULL: not by order */
} verbs[CHANGE_VERB_COUNT] = {
    [CHANGE_STAGE] = {{"stage", 5}, change_run_value},
    [CHANGE_PERCENT] = {{"percent", 7}, change_run_value},
    [CHANGE_ABORT] = {{"abort", 5}, change_run_abort},
    [CHANGE_RESUME] = {{"resume", 6}, change_run_resume},
    [CHANGE_WRITES] = {{"writes", 6}, change_run_writes},
    [CHANGE_FREEZE] = {{"freeze", 6}, change_run_freeze},
    [CHANGE_UNFREEZE] = {{"unfreeze", 8}, change_run_value},
    [CHANGE_CONFIRM] = {{"confirm", 7}, change_run_confirm},
    [CHANGE_UNDO] = {{"undo", 4}, change_run_undo},
    [CHANGE_RELOAD] = {{"reload", 6}, control_reload_for},
    [CHANGE_SAVE] = {{"save", 4}, change_run_save},
    [CHANGE_REVERT] = {{"revert", 6}, NULL},
    [CHANGE_THAW] = {{"thaw", 4}, NULL},
};

struct strview change_verb_name(enum change_verb verb)
{
    return verbs[verb].name;
}

bool change_verb_parse(struct strview text, enum change_verb *ret_verb)
{
    for (int i = 0; i < CHANGE_VERB_COUNT; i++) {
        if (strview_equal(verbs[i].name, text)) {
            *ret_verb = (enum change_verb)i;
            return true;
        }
    }
    return false;
}

/* --- orders -------------------------------------------------------------------------------- */

/* What holds for every order. */
static bool may_begin(const struct control *control, const struct change *change,
                      struct change_result *result)
{
    if (change->verb >= CHANGE_VERB_COUNT || verbs[change->verb].run == NULL)
        return change_refuse(result, 422, "this cannot be ordered");
    if (!change_is_sensible(change, result))
        return false;
    if (change->module.length >= LIVE_NAME_BYTES)
        return change_refuse(result, 404, "no module has a name of that length");
    if (control->draining || control->publisher.current == NULL)
        return change_refuse(result, 503, "the proxy is ending; nothing is changed any more");
    uint64_t generation = control_generation(control);
    if (change->if_generation != 0 && change->if_generation != generation)
        return change_refuse(result, 412,
                             "generation %llu is in force, and the order was for %llu: somebody "
                             "changed something meanwhile",
                             (unsigned long long)generation,
                             (unsigned long long)change->if_generation);
    return true;
}

void control_change(struct control *control, const struct change *change,
                    void (*on_done)(void *owner, const struct change_result *result), void *owner)
{
    struct change_result refusal = {.durable = true, .generation = control_generation(control)};
    if (!may_begin(control, change, &refusal)) {
        on_done(owner, &refusal);
        return;
    }
    struct change_job *job = change_job_new(control, change);
    job->on_done = on_done;
    job->owner = owner;
    verbs[change->verb].run(job);
}

void control_change_forget(struct control *control, const void *owner)
{
    for (struct list *node = control->jobs.next; node != &control->jobs; node = node->next) {
        struct change_job *job = LIST_ENTRY(node, struct change_job, node);
        if (job->owner == owner)
            job->on_done = NULL;
    }
}
