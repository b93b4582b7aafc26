/*
 * Which change may be made of a module as it is: verb by verb, stage by stage. The table stands in
 * routes/README.md, and the tests hold both together. Pure, any thread.
 */
#ifndef CONTROL_CHANGE_RULES_H
#define CONTROL_CHANGE_RULES_H

#include "proxy/control/change.h"
#include "proxy/control/live_state.h"

enum change_rule {
    CHANGE_RULE_REFUSED, /* the result says why */
    CHANGE_RULE_NOTHING, /* it is so already; the result's note says it */
    CHANGE_RULE_CHANGES  /* the result's note says what is worth knowing, if anything */
};

/* For verbs about one module that the files have. */
enum change_rule change_judge(const struct live_module *module, const struct change *change,
                              struct change_result *result);

/* Are the order's own values sensible, whatever the module? False with the result's refusal. */
bool change_is_sensible(const struct change *change, struct change_result *result);

/* May the module retire, and have this stage's copies? For undo, which does not ask for more. */
bool change_stage_is_possible(const struct live_module *module, enum stage stage,
                              struct change_result *result);

/* Sets status, title and detail; returns false, so that `return change_refuse(...)` reads so. */
bool change_refuse(struct change_result *result, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void change_note(struct change_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
