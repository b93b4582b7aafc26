#include "monolith_stub/row_json.h"

void row_json_integer(struct text *out, const char *prefix, sqlite3_stmt *row, int column)
{
    text_append_string(out, prefix);
    text_append_integer(out, sqlite3_column_int64(row, column));
}

void row_json_string(struct text *out, const char *prefix, sqlite3_stmt *row, int column)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    text_append_string(out, prefix);
    if (value == NULL)
        text_append_string(out, "null");
    else
        text_append_json(out, value, (size_t)sqlite3_column_bytes(row, column));
}
