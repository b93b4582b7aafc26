/* The pages of the admin address, each the function of a row in admin_routes.c. Control thread. */
#ifndef CONTROL_ADMIN_PAGES_H
#define CONTROL_ADMIN_PAGES_H

#include "proxy/control/admin_routes.h"

/* admin_metrics.c */
void admin_metrics(const struct admin_call *call);

/* admin_pages.c */
void admin_ready(const struct admin_call *call);
void admin_index(const struct admin_call *call);
void admin_generation(const struct admin_call *call);
void admin_status(const struct admin_call *call);
void admin_modules(const struct admin_call *call);
void admin_module(const struct admin_call *call);
void admin_routes_page(const struct admin_call *call);

/* admin_config.c */
void admin_config(const struct admin_call *call);
void admin_backends(const struct admin_call *call);
void admin_drain(const struct admin_call *call);

/* admin_history.c */
void admin_history(const struct admin_call *call);

/* admin_diff.c */
void admin_diff(const struct admin_call *call);

/* admin_explain.c */
void admin_explain(const struct admin_call *call);

/* admin_change.c: a POST each */
void admin_stage(const struct admin_call *call);
void admin_percent(const struct admin_call *call);
void admin_abort(const struct admin_call *call);
void admin_resume(const struct admin_call *call);
void admin_writes(const struct admin_call *call);
void admin_freeze(const struct admin_call *call);
void admin_unfreeze(const struct admin_call *call);
void admin_confirm(const struct admin_call *call);
void admin_undo(const struct admin_call *call);
void admin_reload(const struct admin_call *call);
void admin_change_forget(struct control *control, struct admin_request *request);

/* admin_mismatches.c */
void admin_mismatches(const struct admin_call *call);
void admin_mismatch(const struct admin_call *call);
void admin_accept(const struct admin_call *call);

/* admin_save.c */
void admin_save(const struct admin_call *call);

#endif
