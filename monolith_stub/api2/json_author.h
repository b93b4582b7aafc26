/*
 * ,"author":{"id":…,"username":…}, or null if the name is not known here.
 */
#ifndef MONOLITH_JSON_AUTHOR_H
#define MONOLITH_JSON_AUTHOR_H

#include <sqlite3.h>

#include "monolith_stub/text.h"

/* What an object says in addition when its author is null. */
#define JSON_DEGRADED ",\"degraded\":[\"users\"]"

/* Whether the name is known. */
bool json_write_author(struct text *out, sqlite3_stmt *row, int id_column, int username_column);

#endif
