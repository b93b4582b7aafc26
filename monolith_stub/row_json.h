/*
 * Columns of a row as members of a JSON object. The row and the text are borrowed.
 */
#ifndef MONOLITH_ROW_JSON_H
#define MONOLITH_ROW_JSON_H

#include <sqlite3.h>

#include "monolith_stub/text.h"

/* `prefix` is everything between the values, for example {"id": or ,"name": */
void row_json_integer(struct text *out, const char *prefix, sqlite3_stmt *row, int column);
void row_json_string(struct text *out, const char *prefix, sqlite3_stmt *row, int column);

#endif
