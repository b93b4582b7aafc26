/* A module as the pages show it. Control thread. */
#ifndef CONTROL_ADMIN_MODULE_H
#define CONTROL_ADMIN_MODULE_H

#include <jansson.h>

#include "proxy/control/live_state.h"

struct control;

/* A value as JSON: a number for percent, a flag for aborted, a time or null for frozen, else text.
 */
json_t *json_live_value(enum live_key key, uint64_t value);

/* Everything about one; NULL when the configuration does not have it. Rates are those of the last
 * module_stats_refresh. */
json_t *json_module(const struct control *control, struct strview name);

/* All of them, in the order of the files. */
json_t *json_modules(const struct control *control);

/* What is not as the files say: overrides, aborted, frozen, flipping, pending. */
json_t *json_live(const struct live_module *module);

/* The module's name that was probably meant, or the empty text. */
struct strview suggest_module(const struct control *control, struct strview wrong);

#endif
