/*
 * The modules and how far each is. Immutable once built; a live change builds a new table and
 * shares everything else. Referenced by snapshots, any thread.
 */
#ifndef ROUTING_MODULE_TABLE_H
#define ROUTING_MODULE_TABLE_H

#include "proxy/core/arena.h"
#include "proxy/routing/side.h"

/* What the module's group `shadow` says; a stage that copies needs it complete. */
enum module_shadow { MODULE_SHADOW_NONE, MODULE_SHADOW_WITHOUT_PERCENT, MODULE_SHADOW_COMPLETE };

struct module {
    struct strview name;
    struct strview cohort; /* the name unless set */
    enum stage stage;
    uint32_t threshold; /* percent as buckets, see bucket.h */
    enum write_owner write_owner;
    bool aborted; /* the latch */
    bool frozen;  /* writes wait: by command, or the write owner is being changed */
    enum module_shadow shadow;
    struct strview on_flip;          /* program that tells the applications; empty: none */
    bool shared_store;               /* both sides write into one store */
    uint64_t pin_ms;                 /* how long a write holds its client's reads; 0: not at all */
    struct strview pin_cookie;       /* names of the cookies, see pin.h */
    struct strview pin_group_cookie; /* empty: the module is in no group */
    bool falls_back;                 /* a read that extracted fails is tried on legacy */
    uint64_t fallback_after_ms;      /* or that it has not answered by then */
    struct strview shadow_cohort;    /* who is copied: hashed apart from who is moved */
    uint32_t shadow_threshold;       /* share of people whose requests are copied; 0: nobody */
    uint32_t shadow_methods;         /* bit set */
    uint32_t legacy_backend;
    uint32_t extracted_backend;
};

struct module_table {
    struct arena arena; /* owns the table's strings and array */
    struct module *modules;
    uint32_t count;
    uint32_t references; /* atomic */
};

/* Room for `count` modules, zeroed; fill `modules` with strings from `arena`. One reference. */
struct module_table *module_table_new(uint32_t count);
/* The same modules, to be changed before anybody else sees them. One reference. */
struct module_table *module_table_copy(const struct module_table *table);
struct module_table *module_table_ref(struct module_table *table);
void module_table_unref(struct module_table *table);

/* The module called `name`, or NULL. */
const struct module *module_table_find(const struct module_table *table, struct strview name);

#endif
