/*
 * How the modules are: what the files declare, what commands changed since (overrides), and what
 * stands in no file: latches, freezes, changes that wait to be confirmed, who owns the writes.
 * Plain values in one block, so that a change is made on a copy, which is taken when the journal
 * has it. Pure: no clock, no files. Owner: control.
 */
#ifndef CONTROL_LIVE_STATE_H
#define CONTROL_LIVE_STATE_H

#include "proxy/control/live_value.h"
#include "proxy/routing/module_table.h"

/* Who ordered something, when, and why. */
struct live_note {
    char who[LIVE_WHO_BYTES];
    char why[LIVE_WHY_BYTES];
    uint64_t unix_ms;
};

/* A value by command. It acts while the file still says what it said then. */
struct live_override {
    bool on;
    uint64_t file; /* what the file said */
    uint64_t running;
    struct live_note note;
};

/* Reads go to legacy until somebody resumes. */
struct live_latch {
    bool on;
    bool durable; /* the journal has it */
    struct live_note note;
};

/* Writes wait, by command. */
struct live_freeze {
    uint64_t until_unix_ms; /* 0: they do not */
    struct live_note note;
};

/* A change that goes back unless it is confirmed. */
struct live_pending {
    uint64_t entry; /* of the journal; 0: there is none */
    enum live_key key;
    uint64_t value; /* what the change made it; with another one in force there is no way back */
    uint64_t back_to;
    uint64_t revert_at_unix_ms;
};

struct live_module {
    char name[LIVE_NAME_BYTES];
    bool declared; /* it is in the files; else only the journal knows it, and nothing acts */
    enum module_shadow shadow;
    uint64_t file[LIVE_DECLARED_COUNT];
    /* What the journal keeps of it: from here … */
    struct live_override overrides[LIVE_DECLARED_COUNT];
    struct live_latch latch;
    struct live_freeze freeze;
    struct live_pending pending;
    /* … to here. Where writes go; another owner that is wanted has to be made so by a flip. */
    enum write_owner owner;
    bool owner_known; /* false: no flip yet, and never in force; the wanted owner is the owner */
    bool unsettled;   /* a flip was cut off: nobody knows what the applications were told */
    bool flipping;    /* the flip holds the writes */
    uint64_t epoch;   /* the highest that was ever used; 1 before the first flip */
    enum stage acting_stage;
};

struct live_state {
    uint32_t count;
    uint32_t capacity;
    struct live_module *modules;
};

/* Something that became another value; for the journal. */
struct live_item {
    char module[LIVE_NAME_BYTES];
    enum live_key key;
    uint64_t from;
    uint64_t to;
};

struct live_items {
    struct live_item *items; /* free with live_items_done */
    size_t count;
    size_t capacity;
};

struct live_state *live_state_new(void);
struct live_state *live_state_copy(const struct live_state *state);
void live_state_free(struct live_state *state); /* NULL is allowed */

/* The module called `name`, or NULL; also when only the journal knows it. */
struct live_module *live_state_find(const struct live_state *state, struct strview name);
/* The same, made if need be. Moves the others. */
struct live_module *live_state_get(struct live_state *state, struct strview name);

/* What is wanted: by command, else by the file. */
uint64_t live_module_value(const struct live_module *module, enum live_key key);

/* How many keys have another value than in the file, by command. */
uint32_t live_module_overrides(const struct live_module *module);

/* Do they differ in what the journal keeps? */
bool live_module_differs(const struct live_module *a, const struct live_module *b);

/*
 * Sets a value, as an override when the file says another; adds what changed to `items`. A change
 * of the same key that waited to be confirmed does not wait any more. Another owner of writes is
 * only wanted by this; the flip makes it so.
 */
void live_module_set(struct live_module *module, enum live_key key, uint64_t value,
                     const struct live_note *note, struct live_items *items);

/* Has the flip something to do? */
bool live_module_needs_flip(const struct live_module *module);

/*
 * The files say this now. Overrides whose file value is another one are dropped, and so is the wait
 * for confirmation of a value that is not in force any more; what is dropped is added to `items`.
 */
void live_state_declare(struct live_state *state, const struct module_table *files,
                        struct live_items *items);

/*
 * Sets in `modules` what changes while the proxy runs. `retired` acts only when writes are
 * extracted's and the module is not aborted; until then the module stays in the stage it was in.
 */
void live_state_fill(struct live_state *state, struct module_table *modules);

void live_items_push(struct live_items *items, const struct live_item *item);
void live_items_add(struct live_items *items, const struct live_module *module, enum live_key key,
                    uint64_t from, uint64_t to);
void live_items_done(struct live_items *items);

#endif
