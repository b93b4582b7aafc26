#include "proxy/control/live_state.h"

#include <stdlib.h>

#include "proxy/core/array.h"

/* --- the block ----------------------------------------------------------------------------- */

struct live_state *live_state_new(void)
{
    return memory_zalloc(sizeof(struct live_state));
}

struct live_state *live_state_copy(const struct live_state *state)
{
    struct live_state *copy = memory_alloc(sizeof(*copy));
    size_t bytes = state->count * sizeof(*state->modules);
    *copy = (struct live_state){
        .count = state->count, .capacity = state->count, .modules = memory_alloc(bytes)};
    if (bytes > 0)
        memcpy(copy->modules, state->modules, bytes);
    return copy;
}

void live_state_free(struct live_state *state)
{
    if (state == NULL)
        return;
    free(state->modules);
    free(state);
}

struct live_module *live_state_find(const struct live_state *state, struct strview name)
{
    for (uint32_t i = 0; i < state->count; i++) {
        if (strview_equal(strview_of(state->modules[i].name), name))
            return &state->modules[i];
    }
    return NULL;
}

/* Modules mostly stand where they stood; a search for each of many would be long. */
static struct live_module *find_near(const struct live_state *state, uint32_t index,
                                     struct strview name)
{
    if (index < state->count && strview_equal(strview_of(state->modules[index].name), name))
        return &state->modules[index];
    return live_state_find(state, name);
}

struct live_module *live_state_get(struct live_state *state, struct strview name)
{
    struct live_module *module = live_state_find(state, name);
    if (module != NULL)
        return module;
    size_t capacity = state->capacity;
    array_reserve((void **)&state->modules, sizeof(*state->modules), state->count, &capacity);
    state->capacity = (uint32_t)capacity;
    module = &state->modules[state->count++];
    size_t length = name.length < LIVE_NAME_BYTES ? name.length : LIVE_NAME_BYTES - 1;
    memcpy(module->name, name.data, length);
    module->epoch = 1;
    module->acting_stage = STAGE_LIVE; /* for a module that begins as retired, and cannot be yet */
    return module;
}

/* --- one module ---------------------------------------------------------------------------- */

static bool is_declared_key(enum live_key key)
{
    return key < LIVE_DECLARED_COUNT;
}

uint64_t live_module_value(const struct live_module *module, enum live_key key)
{
    if (key == LIVE_ABORTED)
        return module->latch.on;
    if (key == LIVE_FROZEN)
        return module->freeze.until_unix_ms;
    const struct live_override *override = &module->overrides[key];
    return override->on ? override->running : module->file[key];
}

uint32_t live_module_overrides(const struct live_module *module)
{
    uint32_t count = 0;
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++)
        count += module->overrides[key].on;
    return count;
}

/* As bytes: when in doubt they differ, and are written once too often. */
bool live_module_differs(const struct live_module *a, const struct live_module *b)
{
    size_t begin = offsetof(struct live_module, overrides);
    size_t end = offsetof(struct live_module, owner);
    return memcmp((const char *)a + begin, (const char *)b + begin, end - begin) != 0;
}

static void set_override(struct live_module *module, enum live_key key, uint64_t value,
                         const struct live_note *note)
{
    struct live_override *override = &module->overrides[key];
    if (value == module->file[key])
        *override = (struct live_override){.on = false};
    else
        *override = (struct live_override){
            .on = true, .file = module->file[key], .running = value, .note = *note};
}

static void set_latch(struct live_module *module, bool on, const struct live_note *note)
{
    module->latch = (struct live_latch){.on = on};
    if (on)
        module->latch.note = *note;
}

static void set_freeze(struct live_module *module, uint64_t until_unix_ms,
                       const struct live_note *note)
{
    module->freeze = (struct live_freeze){.until_unix_ms = until_unix_ms};
    if (until_unix_ms != 0)
        module->freeze.note = *note;
}

void live_module_set(struct live_module *module, enum live_key key, uint64_t value,
                     const struct live_note *note, struct live_items *items)
{
    uint64_t from = live_module_value(module, key);
    if (is_declared_key(key))
        set_override(module, key, value, note);
    else if (key == LIVE_ABORTED)
        set_latch(module, value != 0, note);
    else
        set_freeze(module, value, note);
    if (module->pending.entry != 0 && module->pending.key == key)
        module->pending = (struct live_pending){.entry = 0};
    if (from != value)
        live_items_add(items, module, key, from, value);
}

bool live_module_needs_flip(const struct live_module *module)
{
    return module->declared && module->owner_known &&
           (module->unsettled || module->owner != live_module_value(module, LIVE_WRITE_OWNER));
}

/* --- with the files ------------------------------------------------------------------------ */

static void drop_stale_override(struct live_module *module, enum live_key key,
                                struct live_items *items)
{
    struct live_override *override = &module->overrides[key];
    if (!override->on || override->file == module->file[key])
        return;
    uint64_t from = override->running;
    *override = (struct live_override){.on = false};
    live_items_add(items, module, key, from, module->file[key]);
}

static void declare_module(struct live_module *module, const struct module *file,
                           struct live_items *items)
{
    module->declared = true;
    module->shadow = file->shadow;
    module->file[LIVE_STAGE] = file->stage;
    module->file[LIVE_PERCENT] = file->threshold;
    module->file[LIVE_WRITE_OWNER] = file->write_owner;
    for (int key = 0; key < LIVE_DECLARED_COUNT; key++)
        drop_stale_override(module, (enum live_key)key, items);
    const struct live_pending *pending = &module->pending;
    if (pending->entry != 0 && live_module_value(module, pending->key) != pending->value)
        module->pending = (struct live_pending){.entry = 0};
}

void live_state_declare(struct live_state *state, const struct module_table *files,
                        struct live_items *items)
{
    for (uint32_t i = 0; i < state->count; i++)
        state->modules[i].declared = false;
    for (uint32_t i = 0; i < files->count; i++) {
        const struct module *file = &files->modules[i];
        struct live_module *module = find_near(state, i, file->name);
        if (module == NULL)
            module = live_state_get(state, file->name);
        declare_module(module, file, items);
    }
}

static bool may_retire(const struct live_module *module)
{
    return !module->latch.on && !live_module_needs_flip(module) &&
           module->owner == WRITE_OWNER_EXTRACTED;
}

static enum stage stage_that_acts(const struct live_module *module)
{
    enum stage wanted = (enum stage)live_module_value(module, LIVE_STAGE);
    if (wanted != STAGE_RETIRED || may_retire(module))
        return wanted;
    return module->acting_stage == STAGE_RETIRED ? STAGE_LIVE : module->acting_stage;
}

static void fill_module(struct live_module *module, struct module *ret_module)
{
    if (!module->owner_known)
        module->owner = (enum write_owner)live_module_value(module, LIVE_WRITE_OWNER);
    module->owner_known = true;
    module->acting_stage = stage_that_acts(module);
    ret_module->stage = module->acting_stage;
    ret_module->threshold = (uint32_t)live_module_value(module, LIVE_PERCENT);
    ret_module->write_owner = module->owner;
    ret_module->aborted = module->latch.on;
    ret_module->frozen = module->flipping || module->freeze.until_unix_ms != 0;
}

void live_state_fill(struct live_state *state, struct module_table *modules)
{
    for (uint32_t i = 0; i < modules->count; i++) {
        struct live_module *module = find_near(state, i, modules->modules[i].name);
        if (module != NULL)
            fill_module(module, &modules->modules[i]);
    }
}

/* --- what became another value ------------------------------------------------------------- */

void live_items_push(struct live_items *items, const struct live_item *item)
{
    *ARRAY_PUSH(items) = *item;
}

void live_items_add(struct live_items *items, const struct live_module *module, enum live_key key,
                    uint64_t from, uint64_t to)
{
    struct live_item item = {.key = key, .from = from, .to = to};
    memcpy(item.module, module->name, sizeof(item.module));
    live_items_push(items, &item);
}

void live_items_done(struct live_items *items)
{
    free(items->items);
    *items = (struct live_items){.items = NULL};
}
