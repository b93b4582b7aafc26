#include "proxy/control/flip.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/control/change_rules.h"
#include "proxy/control/change_verbs.h"
#include "proxy/control/control_internal.h"
#include "proxy/core/array.h"
#include "proxy/core/log.h"

/* How often in-flight writes are looked at, and how long the way back may take. */
enum { POLL_MS = 10, WAY_BACK_LIMIT_MS = 30000, EPOCH_TEXT_BYTES = 24 };

/* With the second the program makes the old owner own again when it fails. */
enum { EPOCHS_OF_ATTEMPT = 2 };

static struct flip_order *first_order(const struct flip *flip)
{
    return LIST_ENTRY(flip->orders.next, struct flip_order, node);
}

static struct live_module *module_now(const struct flip *flip)
{
    return live_state_find(flip->control->live, strview_of(first_order(flip)->module));
}

static const struct module *declared_now(const struct flip *flip)
{
    return module_table_find(flip->control->publisher.current->modules,
                             strview_of(first_order(flip)->module));
}

static uint64_t elapsed_ms(const struct flip *flip)
{
    return flip->control->loop.now_ms - flip->began_ms;
}

/* --- orders -------------------------------------------------------------------------------- */

/* Answers the job whose last order this was, and frees the order. */
static void end_order(struct flip_order *order)
{
    struct change_job *job = order->job;
    list_remove(&order->node);
    free(order);
    if (job != NULL && --job->flips == 0)
        change_job_end(job);
}

static void fail_order(struct flip *flip, struct flip_order *order, int status, const char *why)
{
    const struct live_module *module =
        live_state_find(flip->control->live, strview_of(order->module));
    struct strview owner = write_owner_name(module != NULL ? module->owner : WRITE_OWNER_LEGACY);
    log_error("writes of %s stay with %.*s: %s", order->module, STRVIEW_ARGS(owner), why);
    if (order->job == NULL)
        flip->files_failed = true;
    else
        change_refuse(&order->job->result, status, "writes of %s stay with %.*s: %s", order->module,
                      STRVIEW_ARGS(owner), why);
    end_order(order);
}

static void begin_next_later(struct flip *flip)
{
    flip->begun = false;
    task_schedule(&flip->control->loop, &flip->next);
}

/* --- the end of one module's change -------------------------------------------------------- */

static void measure(struct flip *flip)
{
    flip->record.generation = flip->control->next_generation;
    flip->record.total_ms = elapsed_ms(flip);
    if (flip->drained_ms > 0)
        flip->record.program_ms = flip->control->loop.now_ms - flip->drained_ms;
}

/* What cannot be recorded is as if it were not over: the next start settles it. */
static void record_failure(struct flip *flip, enum journal_outcome outcome, const char *why)
{
    struct fault fault;
    flip->record.outcome = outcome;
    flip->record.why = why;
    if (flip->record.id != 0 && !journal_end_flip(flip->control->journal, &flip->record, &fault))
        log_error("%s", fault.text);
}

static void release_module(struct flip *flip)
{
    module_now(flip)->flipping = false;
    control_publish_live(flip->control);
}

static void fail_module(struct flip *flip, int status, const char *why)
{
    measure(flip);
    record_failure(flip, JOURNAL_FAILED, why);
    release_module(flip);
    fail_order(flip, first_order(flip), status, why);
    begin_next_later(flip);
}

/* The owner, the override that goes with a command, and the history, all at once. */
static void fill_commit(struct live_commit *commit, const struct flip_order *order, uint64_t epoch)
{
    static const struct live_note by_files = {.who = "", .why = "the files"};
    struct change_job *job = order->job;
    struct live_module *module = live_state_find(commit->next, strview_of(order->module));
    enum write_owner from = module->owner;
    module->owner = order->to;
    module->epoch = epoch;
    module->unsettled = false;
    module->flipping = false;
    if (job != NULL)
        live_module_set(module, LIVE_WRITE_OWNER, order->to, &job->note, &commit->items);
    if (commit->items.count == 0 && from != order->to) /* the files wanted it already */
        live_items_add(&commit->items, module, LIVE_WRITE_OWNER, from, order->to);
    commit->entry.module = order->module;
    change_describe(commit, job != NULL ? &job->note : &by_files,
                    job != NULL ? job->change.verb : CHANGE_RELOAD);
    if (job == NULL && commit->items.count == 0) /* told once more, no change */
        commit->entry.verb = CHANGE_VERB_COUNT;
    if (job == NULL)
        return;
    commit->entry.undo_of = job->undo_of;
    change_wait_for_confirmation(commit, job);
}

/* False when the journal cannot take it. */
static bool set_owner(struct flip *flip, struct journal_flip *record)
{
    struct fault fault;
    struct flip_order *order = first_order(flip);
    struct live_commit commit;
    live_commit_init(&commit, flip->control);
    commit.flip = record;
    fill_commit(&commit, order, record != NULL ? record->epoch : module_now(flip)->epoch);
    bool good = live_commit_store(&commit, &fault);
    if (good) {
        live_commit_take(&commit);
        control_publish_live(flip->control);
    } else {
        log_error("%s", fault.text);
    }
    if (good && order->job != NULL) {
        order->job->result.changed = true;
        order->job->result.entry = commit.entry.id;
    }
    live_commit_done(&commit);
    return good;
}

/* --- telling the applications -------------------------------------------------------------- */

static void run_program(struct flip *flip, enum write_owner owner, uint64_t limit_ms);

static struct strview program_of(const struct flip *flip)
{
    return declared_now(flip)->on_flip;
}

/*
 * The program was cut off, or what it did cannot be recorded: nobody knows what the applications
 * were told. It is run for the old owner, with the next epoch, while writes are still held. Begun
 * before the failed attempt is ended, so that a crash between the two leaves something to settle.
 */
static void go_back(struct flip *flip, int status, const char *why)
{
    struct fault fault;
    struct live_module *module = module_now(flip);
    struct journal_flip failed = flip->record;
    flip->way_back = true;
    flip->status = status;
    fault_set(&flip->why, "%s", why);
    flip->record = (struct journal_flip){.module = failed.module,
                                         .from = module->owner,
                                         .to = module->owner,
                                         .epoch = module->epoch + 1,
                                         .generation = flip->control->next_generation,
                                         .unix_ms = flip->control->loop.wall_ms,
                                         .outcome = JOURNAL_BEGUN};
    module->epoch += EPOCHS_OF_ATTEMPT;
    module->unsettled = true;
    if (!journal_begin_flip(flip->control->journal, &flip->record, &fault))
        log_error("%s", fault.text);
    failed.outcome = JOURNAL_FAILED;
    failed.why = why;
    if (!journal_end_flip(flip->control->journal, &failed, &fault))
        log_error("%s", fault.text);
    log_warning("writes of %s: %s; the applications are told that %.*s still owns them",
                failed.module, why, STRVIEW_ARGS(write_owner_name(module->owner)));
    run_program(flip, module->owner, WAY_BACK_LIMIT_MS);
}

static void end_way_back(struct flip *flip, bool successful)
{
    struct live_module *module = module_now(flip);
    module->unsettled = !successful;
    if (successful)
        module->epoch = flip->record.epoch;
    measure(flip);
    if (successful)
        record_failure(flip, JOURNAL_SUCCEEDED, flip->why.text);
    else
        log_error("the applications of %s could not be told; a reload, a start or a change of the "
                  "write owner tries again",
                  flip->record.module);
    release_module(flip);
    fail_order(flip, first_order(flip), flip->status, flip->why.text);
    begin_next_later(flip);
}

static void succeed_module(struct flip *flip)
{
    measure(flip);
    struct journal_flip record = flip->record;
    record.outcome = JOURNAL_SUCCEEDED;
    record.why = "";
    if (!set_owner(flip, &record)) {
        if (program_of(flip).length > 0)
            go_back(flip, 503, "the journal cannot be written");
        else
            fail_module(flip, 503, "the journal cannot be written");
        return;
    }
    log_info("writes of %s go to %.*s now (epoch %llu, held for %llu ms)", record.module,
             STRVIEW_ARGS(write_owner_name(record.to)), (unsigned long long)record.epoch,
             (unsigned long long)record.total_ms);
    end_order(first_order(flip));
    begin_next_later(flip);
}

static void on_program_end(struct program *program, int status)
{
    struct flip *flip = LIST_ENTRY(program, struct flip, program);
    if (flip->way_back)
        end_way_back(flip, status == 0);
    else if (status == 0)
        succeed_module(flip);
    else if (status == PROGRAM_TIMED_OUT)
        go_back(flip, 504, "on_flip did not end in time");
    else if (status == PROGRAM_SIGNALLED)
        go_back(flip, 500, "on_flip was killed");
    else
        fail_module(flip, 500, "on_flip failed");
}

static void run_program(struct flip *flip, enum write_owner owner, uint64_t limit_ms)
{
    char epoch[EPOCH_TEXT_BYTES];
    snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)flip->record.epoch);
    struct strview side = write_owner_name(owner);
    char *const argv[] = {(char *)(uintptr_t)program_of(flip).data,
                          (char *)(uintptr_t)flip->record.module, (char *)(uintptr_t)side.data,
                          epoch, NULL};
    struct fault fault;
    if (program_start(&flip->program, &flip->control->loop, argv, limit_ms, on_program_end, &fault))
        return;
    if (flip->way_back)
        end_way_back(flip, false);
    else
        fail_module(flip, 500, fault.text);
}

static void tell_applications(struct flip *flip)
{
    flip->drained_ms = flip->control->loop.now_ms;
    flip->record.drain_ms = elapsed_ms(flip);
    if (program_of(flip).length == 0) {
        log_warning("module %s has no on_flip: nobody tells the applications", flip->record.module);
        succeed_module(flip);
        return;
    }
    uint64_t limit_ms = first_order(flip)->limit_ms;
    uint64_t left_ms = elapsed_ms(flip) < limit_ms ? limit_ms - elapsed_ms(flip) : 1;
    run_program(flip, flip->record.to, left_ms);
}

/* --- holding the writes -------------------------------------------------------------------- */

static void look_at_writes(struct flip *flip)
{
    struct flip_order *order = first_order(flip);
    if (control_count_writes(flip->control, strview_of(order->module)) == 0)
        tell_applications(flip);
    else if (elapsed_ms(flip) > order->limit_ms)
        fail_module(flip, 504, "older writes did not end in time");
    else
        deadline_start(&flip->control->loop, &flip->poll, POLL_MS);
}

static void on_poll(struct deadline *deadline)
{
    look_at_writes(LIST_ENTRY(deadline, struct flip, poll));
}

static void begin_module(struct flip *flip, struct flip_order *order)
{
    struct fault fault;
    struct control *control = flip->control;
    struct live_module *module = module_now(flip);
    flip->way_back = false;
    flip->began_ms = control->loop.now_ms;
    flip->drained_ms = 0;
    flip->record = (struct journal_flip){.module = order->module,
                                         .from = module->owner,
                                         .to = order->to,
                                         .epoch = module->epoch + 1,
                                         .generation = control->next_generation,
                                         .unix_ms = control->loop.wall_ms,
                                         .outcome = JOURNAL_BEGUN};
    if (!control_open_journal(control, &fault) ||
        !journal_begin_flip(control->journal, &flip->record, &fault)) {
        fail_order(flip, order, 503, fault.text);
        begin_next_later(flip);
        return;
    }
    module->epoch += EPOCHS_OF_ATTEMPT;
    module->flipping = true;
    flip->begun = true;
    control_publish_live(control); /* returns when every worker holds the module's writes */
    look_at_writes(flip);
}

/* --- one after the other ------------------------------------------------------------------- */

static void begin_next(struct task *task)
{
    struct flip *flip = LIST_ENTRY(task, struct flip, next);
    if (!flip_is_on(flip)) {
        bool files_failed = flip->files_failed;
        flip->files_failed = false;
        control_flips_ended(flip->control, !files_failed);
        return;
    }
    struct flip_order *order = first_order(flip);
    const struct live_module *module = module_now(flip);
    if (module == NULL || !module->declared) {
        fail_order(flip, order, 404, "the files do not have the module any more");
    } else if (order->to == WRITE_OWNER_FOLLOW && !declared_now(flip)->shared_store) {
        fail_order(flip, order, 409, "the files do not say `shared_store = true` any more");
    } else if (module->owner != order->to || module->unsettled) {
        begin_module(flip, order);
        return;
    } else if (order->job != NULL && live_module_needs_flip(module) && !set_owner(flip, NULL)) {
        fail_order(flip, order, 503, "the journal cannot be written");
    } else {
        end_order(order);
    }
    begin_next_later(flip);
}

void flip_init(struct flip *flip, struct control *control)
{
    *flip = (struct flip){.control = control};
    list_init(&flip->orders);
    task_init(&flip->next, begin_next);
    deadline_init(&flip->poll, on_poll);
}

void flip_add(struct flip *flip, const struct live_module *module, enum write_owner to,
              struct change_job *job)
{
    struct flip_order *order = memory_zalloc(sizeof(*order));
    memcpy(order->module, module->name, sizeof(order->module));
    order->to = to;
    order->job = job;
    order->limit_ms =
        job != NULL && job->change.timeout_ms != 0 ? job->change.timeout_ms : CHANGE_TIMEOUT_MS;
    if (job != NULL)
        job->flips++;
    list_append(&flip->orders, &order->node);
    if (!flip->begun)
        task_schedule(&flip->control->loop, &flip->next);
}

/* --- giving up ----------------------------------------------------------------------------- */

static void give_up_first(struct flip *flip, int status, const char *why)
{
    if (flip->way_back)
        return; /* it is about that already */
    if (program_is_running(&flip->program)) {
        program_stop(&flip->program);
        go_back(flip, status, why);
        return;
    }
    deadline_stop(&flip->poll);
    fail_module(flip, status, why);
}

/* Gives up those orders that `module` says, or all for NULL, but for those that lead to legacy. */
static void give_up(struct flip *flip, const struct live_module *module, int status,
                    const char *why)
{
    struct list *node = flip->orders.next;
    bool is_begun = flip->begun;
    while (node != &flip->orders) {
        struct flip_order *order = LIST_ENTRY(node, struct flip_order, node);
        node = node->next;
        bool meant = module == NULL ||
                     (strcmp(order->module, module->name) == 0 && order->to != WRITE_OWNER_LEGACY);
        if (meant && is_begun)
            give_up_first(flip, status, why);
        else if (meant)
            fail_order(flip, order, status, why);
        is_begun = false;
    }
}

void flip_keep_on_legacy(struct flip *flip, const struct live_module *module)
{
    give_up(flip, module, 409, "given up: the module was aborted with its writes");
}

void flip_cancel(struct flip *flip)
{
    give_up(flip, NULL, 503, "given up: the proxy stops");
}

void flip_stop(struct flip *flip)
{
    task_cancel(&flip->next);
    deadline_stop(&flip->poll);
    program_stop(&flip->program);
    while (flip_is_on(flip)) {
        struct flip_order *order = first_order(flip);
        list_remove(&order->node);
        free(order);
    }
}
