/* How the copies of a module do, and whether its reads could go back, as JSON. Control thread. */
#ifndef CONTROL_ADMIN_SHADOW_H
#define CONTROL_ADMIN_SHADOW_H

#include <jansson.h>

#include "proxy/routing/module_table.h"

struct control;

/* The way back of a module in stage live is proven by answers that were compared so lately. */
enum { ROLLBACK_COMPARED_WITHIN_MS = 15 * 60 * 1000 };

/* Null for a module without a group `shadow`. */
json_t *json_shadow(const struct control *control, const struct module *module);

/* Of the last answers that were compared, in percent; null before the first. */
json_t *json_mismatch_rate(const struct control *control, const struct module *module);

enum { ROLLBACK_WHY_BYTES = 120 };

/*
 * Do the comparisons speak for the way back to legacy? It is proven when something is copied there,
 * was compared within ROLLBACK_COMPARED_WITHIN_MS, and none of the last JUDGE_RECENT answers is a
 * mismatch. Writes why not.
 */
bool shadow_proves_way_back(const struct control *control, const struct module *module,
                            char ret_why[static ROLLBACK_WHY_BYTES]);

#endif
