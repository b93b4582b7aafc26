#include "monolith_stub/api2/json_author.h"

#include "monolith_stub/row_json.h"

bool json_write_author(struct text *out, sqlite3_stmt *row, int id_column, int username_column)
{
    if (sqlite3_column_type(row, username_column) == SQLITE_NULL) {
        text_append_string(out, ",\"author\":null");
        return false;
    }
    row_json_integer(out, ",\"author\":{\"id\":", row, id_column);
    row_json_string(out, ",\"username\":", row, username_column);
    text_append_string(out, "}");
    return true;
}
