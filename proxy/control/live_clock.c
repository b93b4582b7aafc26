#include "proxy/control/live_clock.h"

#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

/* Looked at that often, in case somebody sets the clock; and tried again after that, when the
 * journal or a program failed. */
enum { LOOK_MAX_MS = 60 * 1000, AGAIN_MS = 30 * 1000, FLUSH_MS = 5 * 1000 };

static const struct live_note not_confirmed = {.who = "strangler", .why = "not confirmed in time"};
static const struct live_note freeze_over = {.who = "strangler", .why = "its time is over"};

/* --- going back ---------------------------------------------------------------------------- */

static void log_revert(const struct live_module *module)
{
    char value[LIVE_VALUE_BYTES];
    char back_to[LIVE_VALUE_BYTES];
    const struct live_pending *pending = &module->pending;
    log_warning("%.*s %s of module %s was not confirmed in time and goes back to %s",
                STRVIEW_ARGS(live_key_name(pending->key)),
                live_value_format(pending->key, pending->value, value), module->name,
                live_value_format(pending->key, pending->back_to, back_to));
}

/* Where writes go is changed by the flip, which waits for its turn. */
static void flip_back(struct control *control, struct live_module *module)
{
    struct change change = {.verb = CHANGE_REVERT,
                            .module = strview_of(module->name),
                            .who = strview_of(not_confirmed.who),
                            .why = strview_of(not_confirmed.why)};
    struct change_job *job = change_job_new(control, &change);
    job->undo_of = module->pending.entry;
    flip_add(&control->flip, module, (enum write_owner)module->pending.back_to, job);
    /* Not again before this has ended, and if it fails, not at once. */
    module->pending.revert_at_unix_ms = control->loop.wall_ms + CHANGE_TIMEOUT_MS + AGAIN_MS;
}

static void set_back(struct control *control, struct live_module *module)
{
    struct fault fault;
    struct live_note note = not_confirmed;
    note.unix_ms = control->loop.wall_ms;
    struct live_commit commit;
    live_commit_init(&commit, control);
    struct live_module *next = live_state_find(commit.next, strview_of(module->name));
    live_module_set(next, module->pending.key, module->pending.back_to, &note, &commit.items);
    change_describe(&commit, &note, CHANGE_REVERT);
    commit.entry.module = module->name;
    commit.entry.undo_of = module->pending.entry;
    bool stored = live_commit_store(&commit, &fault);
    if (!stored) {
        log_error("module %s could not go back: %s", module->name, fault.text);
        module->pending.revert_at_unix_ms = control->loop.wall_ms + AGAIN_MS;
    }
    /* Nobody is served by what was overdue, whatever the journal can take. */
    if (stored || control->publisher.current == NULL) {
        live_commit_take(&commit);
        control_publish_live(control);
    }
    live_commit_done(&commit);
}

static void revert(struct control *control, struct live_module *module)
{
    log_revert(module);
    if (module->pending.key == LIVE_WRITE_OWNER && control->publisher.current != NULL)
        flip_back(control, module);
    else
        set_back(control, module);
}

/* The journal's row is out of date by itself, so that writes go on even when it cannot be
 * removed. */
static void thaw(struct control *control, struct live_module *module)
{
    struct fault fault;
    struct live_commit commit;
    live_commit_init(&commit, control);
    struct live_module *next = live_state_find(commit.next, strview_of(module->name));
    live_module_set(next, LIVE_FROZEN, 0, &freeze_over, &commit.items);
    change_describe(&commit, &freeze_over, CHANGE_THAW);
    commit.entry.module = module->name;
    log_info("the freeze of module %s is over", module->name);
    if (!hand_over_has_let_go(&control->hand_over) && !live_commit_store(&commit, &fault))
        log_error("%s", fault.text);
    live_commit_take(&commit);
    control_publish_live(control);
    live_commit_done(&commit);
}

/* --- the clock ----------------------------------------------------------------------------- */

/* After a hand-over only freezes end here, for the writes that wait in this process; all else is
 * the new one's. */
static bool is_ours(const struct control *control)
{
    return !hand_over_has_let_go(&control->hand_over);
}

static bool is_pending(const struct live_module *module)
{
    return module->declared && module->pending.entry != 0;
}

static bool is_due(const struct live_module *module, uint64_t unix_ms)
{
    return is_pending(module) && module->pending.revert_at_unix_ms <= unix_ms;
}

static bool is_unrecorded(const struct live_module *module)
{
    return module->latch.on && !module->latch.durable;
}

static bool is_over(const struct live_module *module, uint64_t unix_ms)
{
    return module->freeze.until_unix_ms != 0 && module->freeze.until_unix_ms <= unix_ms;
}

void live_clock_run(struct control *control)
{
    struct fault fault;
    uint64_t unix_ms = control->loop.wall_ms;
    bool unrecorded = false;
    for (uint32_t i = 0; i < control->live->count; i++) {
        if (is_ours(control) && is_due(&control->live->modules[i], unix_ms))
            revert(control, &control->live->modules[i]);
        if (is_over(&control->live->modules[i], unix_ms))
            thaw(control, &control->live->modules[i]);
        unrecorded = unrecorded || is_unrecorded(&control->live->modules[i]);
    }
    if (is_ours(control) && unrecorded && live_commit_flush(control, &fault))
        log_info("the journal has taken the aborts that it could not take before");
    live_clock_set(control);
}

static uint64_t sooner(uint64_t unix_ms, uint64_t at_unix_ms, uint64_t wait_ms)
{
    uint64_t left_ms = at_unix_ms > unix_ms ? at_unix_ms - unix_ms : 1;
    return left_ms < wait_ms ? left_ms : wait_ms;
}

void live_clock_set(struct control *control)
{
    uint64_t unix_ms = control->loop.wall_ms;
    uint64_t wait_ms = LOOK_MAX_MS;
    bool needed = false;
    for (uint32_t i = 0; i < control->live->count; i++) {
        const struct live_module *module = &control->live->modules[i];
        bool pending = is_ours(control) && is_pending(module);
        bool unrecorded = is_ours(control) && is_unrecorded(module);
        if (pending)
            wait_ms = sooner(unix_ms, module->pending.revert_at_unix_ms, wait_ms);
        if (module->freeze.until_unix_ms != 0)
            wait_ms = sooner(unix_ms, module->freeze.until_unix_ms, wait_ms);
        if (unrecorded && wait_ms > FLUSH_MS)
            wait_ms = FLUSH_MS;
        needed = needed || pending || module->freeze.until_unix_ms != 0 || unrecorded;
    }
    if (needed)
        deadline_start(&control->loop, &control->clock, wait_ms);
    else
        deadline_stop(&control->clock);
}

static void on_clock(struct deadline *deadline)
{
    live_clock_run(LIST_ENTRY(deadline, struct control, clock));
}

void live_clock_init(struct control *control)
{
    deadline_init(&control->clock, on_clock);
}

void live_clock_stop(struct control *control)
{
    deadline_stop(&control->clock);
}
