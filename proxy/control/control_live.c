/* Between the live state and what is published. */
#include <stdio.h>

#include "proxy/control/control_internal.h"
#include "proxy/core/log.h"

void control_init_live(struct control *control)
{
    control->live = live_state_new();
    list_init(&control->jobs);
    list_init(&control->reloads);
    list_init(&control->next_reloads);
    flip_init(&control->flip, control);
    live_clock_init(control);
}

uint64_t control_generation(const struct control *control)
{
    return control->publisher.current != NULL ? control->publisher.current->generation : 0;
}

bool control_open_journal(struct control *control, struct fault *fault)
{
    if (hand_over_has_let_go(&control->hand_over))
        return fault_set(fault, "the journal belongs to the process that takes over");
    if (control->journal == NULL)
        control->journal = journal_open(control->state_dir, fault);
    return control->journal != NULL;
}

void control_publish_live(struct control *control)
{
    struct fault fault;
    struct snapshot *current = control->publisher.current;
    if (current == NULL)
        return;
    struct module_table *modules = module_table_copy(current->modules);
    live_state_fill(control->live, modules);
    struct snapshot *next =
        snapshot_with_modules_take(current, modules, control->next_generation++);
    /* It has no new listener, whose socket could fail. */
    if (!publisher_publish_take(&control->publisher, next, &fault))
        log_error("%s", fault.text);
    live_clock_set(control);
}

uint32_t control_count_writes(struct control *control, struct strview module)
{
    uint32_t sum = control->take_over.is_on ? 1 : 0;
    for (uint32_t i = 0; i < control->worker_count; i++)
        sum += worker_count_writes(control->workers[i], module);
    return sum;
}

/* --- what is told -------------------------------------------------------------------------- */

static void write_override(const struct live_module *module, enum live_key key, FILE *out)
{
    char running[LIVE_VALUE_BYTES];
    char file[LIVE_VALUE_BYTES];
    const struct live_override *override = &module->overrides[key];
    if (override->on)
        fprintf(out, ", %.*s %s (the files: %s)", STRVIEW_ARGS(live_key_name(key)),
                live_value_format(key, override->running, running),
                live_value_format(key, override->file, file));
}

static void log_module(const struct live_module *module)
{
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    if (out == NULL)
        return;
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++)
        write_override(module, (enum live_key)key, out);
    if (module->latch.on)
        fprintf(out, ", aborted%s%s", module->latch.note.who[0] != '\0' ? " by " : "",
                module->latch.note.who);
    if (module->pending.entry != 0)
        fprintf(out, ", entry %llu waits to be confirmed",
                (unsigned long long)module->pending.entry);
    fclose(out);
    if (text[0] != '\0')
        log_info("module %s, by command: %s", module->name, text + sizeof(", ") - 1);
}

void control_log_change(const struct live_commit *commit)
{
    char from[LIVE_VALUE_BYTES];
    char to[LIVE_VALUE_BYTES];
    const struct journal_entry *entry = &commit->entry;
    for (size_t i = 0; i < commit->items.count; i++) {
        const struct live_item *item = &commit->items.items[i];
        if (item->from == item->to)
            continue; /* by the files now */
        log_info("module %s: %.*s %s, was %s (%.*s%s%s%s%s)", item->module,
                 STRVIEW_ARGS(live_key_name(item->key)), live_value_format(item->key, item->to, to),
                 live_value_format(item->key, item->from, from),
                 STRVIEW_ARGS(change_verb_name(entry->verb)), entry->who[0] != '\0' ? " by " : "",
                 entry->who, entry->why[0] != '\0' ? ": " : "", entry->why);
    }
}

static bool has_live_rows(const struct live_module *module)
{
    return live_module_overrides(module) > 0 || module->latch.on || module->pending.entry != 0;
}

void control_log_live(const struct control *control)
{
    for (uint32_t i = 0; i < control->live->count; i++) {
        const struct live_module *module = &control->live->modules[i];
        if (module->declared)
            log_module(module);
        else if (has_live_rows(module))
            log_warning("the journal has changes of module %s, which the files do not have",
                        module->name);
    }
}
