/*
 * The members of a JSON object as values of a query. The loop's thread.
 */
#ifndef SERVICE_KIT_ROW_BIND_H
#define SERVICE_KIT_ROW_BIND_H

#include <jansson.h>

#include "extracted/service_kit/row_reply.h"

/* Binds member i as ?i+1; further members of the object are ignored. False: one is missing or of
 * another type. */
bool row_bind(sqlite3_stmt *query, const struct row_shape *shape, const json_t *object);

#endif
