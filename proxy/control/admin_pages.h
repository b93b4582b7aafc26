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

#endif
