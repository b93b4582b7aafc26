#include "proxy/control/flip.h"

#include <stdio.h>

#include "proxy/core/log.h"

/* How long a change may take, and how often in-flight writes are looked at. */
enum { FLIP_LIMIT_MS = 30000, POLL_MS = 10, EPOCH_TEXT_BYTES = 24 };

static void next_module(struct flip *flip);

static struct module *module_now(const struct flip *flip)
{
    return &flip->now->modules[flip->module];
}

static enum write_owner owner_wanted(const struct flip *flip)
{
    return flip->target->modules->modules[flip->module].write_owner;
}

/* Puts the table as it is now in force. A derived snapshot needs no new socket, so it cannot fail.
 */
static void publish_now(struct flip *flip)
{
    struct fault fault;
    struct module_table *table = module_table_copy(flip->now);
    struct snapshot *snapshot =
        snapshot_with_modules_take(flip->target, table, (*flip->next_generation)++);
    if (!publisher_publish_take(flip->publisher, snapshot, &fault))
        log_error("%s", fault.text);
}

/* --- the end of one module's change -------------------------------------------------------- */

/* Recorded before the owner is set, so that a crash in between is seen at the next start. */
static bool record(struct flip *flip, bool successful, const char *why)
{
    struct fault fault;
    flip->record.successful = successful;
    flip->record.why = why;
    flip->record.generation = *flip->next_generation;
    flip->record.total_ms = flip->loop->now_ms - flip->began_ms;
    if (flip->drained_ms > 0)
        flip->record.program_ms = flip->loop->now_ms - flip->drained_ms;
    if (journal_record_flip(*flip->journal, &flip->record, &fault))
        return true;
    log_error("%s", fault.text);
    return false;
}

static void unfreeze(struct flip *flip, bool successful)
{
    struct module *module = module_now(flip);
    module->frozen = false;
    if (successful) {
        module->write_owner = owner_wanted(flip);
        module->stage = flip->target->modules->modules[flip->module].stage;
    } else {
        flip->failed = true;
    }
    publish_now(flip);
    flip->module++;
    next_module(flip);
}

static void fail_module(struct flip *flip, const char *why)
{
    log_error("writes of %s stay with %.*s: %s", flip->record.module,
              STRVIEW_ARGS(write_owner_name(flip->record.from)), why);
    record(flip, false, why);
    unfreeze(flip, false);
}

static void succeed_module(struct flip *flip)
{
    if (!record(flip, true, "")) {
        unfreeze(flip, false);
        return;
    }
    log_info("writes of %s go to %.*s now (epoch %llu, held for %llu ms)", flip->record.module,
             STRVIEW_ARGS(write_owner_name(flip->record.to)),
             (unsigned long long)flip->record.epoch, (unsigned long long)flip->record.total_ms);
    unfreeze(flip, true);
}

/* --- the steps ----------------------------------------------------------------------------- */

static void on_program_end(struct program *program, int status)
{
    struct flip *flip = LIST_ENTRY(program, struct flip, program);
    if (status == 0)
        succeed_module(flip);
    else if (status == PROGRAM_TIMED_OUT)
        fail_module(flip, "on_flip did not end in time");
    else
        fail_module(flip, "on_flip failed");
}

static void run_program(struct flip *flip)
{
    const struct module *module = module_now(flip);
    flip->drained_ms = flip->loop->now_ms;
    flip->record.drain_ms = flip->drained_ms - flip->began_ms;
    if (module->on_flip.length == 0) {
        log_warning("module %s has no on_flip: nobody tells the applications", flip->record.module);
        succeed_module(flip);
        return;
    }
    char epoch[EPOCH_TEXT_BYTES];
    snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)flip->record.epoch);
    struct strview side = write_owner_name(flip->record.to);
    char *const argv[] = {(char *)(uintptr_t)module->on_flip.data,
                          (char *)(uintptr_t)flip->record.module, (char *)(uintptr_t)side.data,
                          epoch, NULL};
    struct fault fault;
    if (!program_start(&flip->program, flip->loop, argv, FLIP_LIMIT_MS, on_program_end, &fault))
        fail_module(flip, fault.text);
}

static uint32_t writes_in_flight(const struct flip *flip)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < flip->publisher->worker_count; i++)
        sum += worker_count_writes(flip->publisher->workers[i], module_now(flip)->name);
    return sum;
}

static void look_at_writes(struct flip *flip)
{
    if (writes_in_flight(flip) == 0)
        run_program(flip);
    else if (flip->loop->now_ms - flip->began_ms > FLIP_LIMIT_MS)
        fail_module(flip, "older writes did not end in time");
    else
        deadline_start(flip->loop, &flip->poll, POLL_MS);
}

static void on_poll(struct deadline *deadline)
{
    look_at_writes(LIST_ENTRY(deadline, struct flip, poll));
}

static void begin_module(struct flip *flip)
{
    struct fault fault;
    struct module *module = module_now(flip);
    flip->began_ms = flip->loop->now_ms;
    flip->drained_ms = 0;
    flip->record = (struct journal_flip){
        .module = module->name.data,
        .from = module->write_owner,
        .to = owner_wanted(flip),
        .unix_ms = flip->loop->wall_ms,
        .why = "",
    };
    uint64_t epoch = 0;
    if (*flip->journal == NULL)
        *flip->journal = journal_open(flip->state_dir, &fault);
    if (*flip->journal == NULL ||
        !journal_last_epoch(*flip->journal, flip->record.module, &epoch, &fault)) {
        log_error("writes of %s stay with %.*s: %s", flip->record.module,
                  STRVIEW_ARGS(write_owner_name(flip->record.from)), fault.text);
        flip->failed = true;
        flip->module++;
        next_module(flip);
        return;
    }
    flip->record.epoch = epoch + 1;
    module->frozen = true;
    publish_now(flip); /* returns when every worker holds the module's writes */
    look_at_writes(flip);
}

/* The next module whose owner is not the wanted one; after the last, the end. */
static void next_module(struct flip *flip)
{
    while (flip->module < flip->now->count && module_now(flip)->write_owner == owner_wanted(flip))
        flip->module++;
    if (flip->module < flip->now->count) {
        begin_module(flip);
        return;
    }
    module_table_unref(flip->now);
    snapshot_unref(flip->target);
    flip->now = NULL;
    flip->target = NULL;
    flip->on_done(flip, !flip->failed);
}

/* --- starting and stopping ----------------------------------------------------------------- */

static const struct module *same_module(const struct snapshot *snapshot,
                                        const struct module *module)
{
    return module_table_find(snapshot->modules, module->name);
}

bool flip_is_needed(const struct snapshot *current, const struct snapshot *target)
{
    for (uint32_t i = 0; i < target->modules->count; i++) {
        const struct module *wanted = &target->modules->modules[i];
        const struct module *now = same_module(current, wanted);
        if (now != NULL && now->write_owner != wanted->write_owner)
            return true;
    }
    return false;
}

bool flip_start_take(struct flip *flip, struct snapshot *target, struct fault *fault)
{
    const struct snapshot *current = flip->publisher->current;
    struct module_table *now = module_table_copy(target->modules);
    for (uint32_t i = 0; i < now->count; i++) {
        const struct module *running = same_module(current, &now->modules[i]);
        if (running == NULL || running->write_owner == now->modules[i].write_owner)
            continue;
        now->modules[i].write_owner = running->write_owner;
        if (now->modules[i].stage == STAGE_RETIRED) /* that would move the writes by itself */
            now->modules[i].stage = running->stage;
    }
    struct snapshot *first =
        snapshot_with_modules_take(target, module_table_copy(now), (*flip->next_generation)++);
    if (!publisher_publish_take(flip->publisher, first, fault)) {
        module_table_unref(now);
        snapshot_unref(target);
        return false;
    }
    flip->target = target;
    flip->now = now;
    flip->module = 0;
    flip->failed = false;
    deadline_init(&flip->poll, on_poll);
    next_module(flip);
    return true;
}

void flip_cancel(struct flip *flip)
{
    if (flip_is_on(flip) && flip->module < flip->now->count && module_now(flip)->frozen) {
        log_warning("the change of write owner of %s is given up", flip->record.module);
        program_stop(&flip->program);
        record(flip, false, "given up: the proxy stops");
        module_now(flip)->frozen = false;
        publish_now(flip);
    }
    flip_stop(flip);
}

struct snapshot *flip_with_recorded_owners(struct snapshot *wanted, struct journal *journal,
                                           uint64_t generation)
{
    struct module_table *table = module_table_copy(wanted->modules);
    bool differs = false;
    for (uint32_t i = 0; i < table->count; i++) {
        struct module *module = &table->modules[i];
        enum write_owner owner;
        if (!journal_last_owner(journal, module->name.data, &owner) || owner == module->write_owner)
            continue;
        module->write_owner = owner;
        if (module->stage == STAGE_RETIRED)
            module->stage = STAGE_LIVE; /* retired with another owner than extracted cannot be */
        differs = true;
    }
    if (differs)
        return snapshot_with_modules_take(wanted, table, generation);
    module_table_unref(table);
    return NULL;
}

void flip_stop(struct flip *flip)
{
    if (!flip_is_on(flip))
        return;
    deadline_stop(&flip->poll);
    program_stop(&flip->program);
    module_table_unref(flip->now);
    snapshot_unref(flip->target);
    flip->now = NULL;
    flip->target = NULL;
}
