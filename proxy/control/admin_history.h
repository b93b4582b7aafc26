/* What the journal tells, as JSON. Control thread. */
#ifndef CONTROL_ADMIN_HISTORY_H
#define CONTROL_ADMIN_HISTORY_H

#include <jansson.h>
#include <stdint.h>

struct control;

/* What an entry changed: an array, empty for 0 and for what is not there. */
json_t *json_entry_changes(struct control *control, uint64_t entry);

#endif
