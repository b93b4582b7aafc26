/*
 * What has been seen of each field that ever differed: how often it did, and how often the first
 * side differed from itself. Bounded; owned by the compare thread.
 */
#ifndef SHADOW_FIELD_TABLE_H
#define SHADOW_FIELD_TABLE_H

#include "proxy/compare/noise.h"
#include "proxy/core/strview.h"

enum { FIELD_TABLE_MAX = 20000 };

struct field_table;

struct field_table *field_table_new(void);
void field_table_free(struct field_table *table);

/* Has it ever been asked for? */
bool field_table_has(const struct field_table *table, struct strview module,
                     struct strview path_template, struct strview field);

/*
 * The counts of a field of a path template of a module, made when it is new; those of the template
 * itself have an empty field. NULL when the table is full. Valid until the next call.
 */
struct noise_counts *field_table_get(struct field_table *table, struct strview module,
                                     struct strview path_template, struct strview field);

#endif
