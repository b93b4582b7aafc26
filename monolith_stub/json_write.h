/*
 * Members of JSON objects, written one after the other. `prefix` is everything between the
 * values, for example {"id": or ,"name": — the same way as row_json does for columns.
 */
#ifndef MONOLITH_JSON_WRITE_H
#define MONOLITH_JSON_WRITE_H

#include "monolith_stub/text.h"

void json_write_string(struct text *out, const char *prefix, const char *value);
void json_write_view(struct text *out, const char *prefix, struct text_view value);
void json_write_integer(struct text *out, const char *prefix, int64_t value);

/* A time in ms since 1970 as 2024-01-31T12:00:00Z, in quotes. */
void json_write_time(struct text *out, const char *prefix, int64_t time_ms);

/* The same without quotes, for pages. */
void text_append_time(struct text *out, int64_t time_ms);

#endif
